//! The JSON-RPC envelope: which method, which id, which parameters.
//!
//! Everything borrows from the body. Parameters stay raw until the code that knows their shape reads
//! them, so nothing is parsed into a tree.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::encoding::text;
use super::error::Error;
use super::raw::{needs, object, string};

/// What a body holds. `P` is the type of the parameters.
#[derive(Debug)]
pub(crate) enum Payload<'a, P> {
    One(Message<'a, P>),
    /// Several messages, none of them read yet (JSON-RPC 2.0 section 6).
    Batch(Vec<&'a RawValue>),
}

#[derive(Debug)]
pub(crate) enum Message<'a, P> {
    /// Wants an answer.
    Request(Request<'a, P>),
    /// A notification or a response: accepted, without an answer.
    OneWay,
}

#[derive(Debug)]
pub(crate) struct Request<'a, P> {
    /// A string or an integer, as it was written.
    pub(crate) id: &'a RawValue,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: P,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(default)]
    result: Option<IgnoredAny>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// Distinguishes `null` from absent, which `Option` alone does not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Why a message is rejected, and the id to answer under.
pub(crate) type Rejected<'a> = (Option<&'a RawValue>, Error);

/// Reads a body.
pub(crate) fn read<'a, P>(body: &'a [u8]) -> Result<Payload<'a, P>, Rejected<'a>>
where
    P: Default + Deserialize<'a>,
{
    let text = text(body).map_err(|error| (None, error))?;
    if text.trim_ascii_start().starts_with('[') {
        let messages = serde_json::from_str(text).map_err(|error| reject(text, &error))?;
        return Ok(Payload::Batch(messages));
    }
    read_message(text).map(Payload::One)
}

/// Reads one message.
pub(crate) fn read_message<'a, P>(text: &'a str) -> Result<Message<'a, P>, Rejected<'a>>
where
    P: Default + Deserialize<'a>,
{
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|error| reject(text, &error))?;

    let id = match envelope.id {
        Some(id) if is_request_id(id) => Some(id),
        Some(id) => return Err((None, invalid_id(id))),
        None => None,
    };
    if envelope.jsonrpc != "2.0" {
        return Err((id, Error::invalid_request("The member `jsonrpc` must be \"2.0\".")));
    }
    let Some(raw) = envelope.method else {
        // This server sends no requests, so a response answers none; it is accepted like any other.
        if envelope.result.is_some() || envelope.error.is_some() {
            return Ok(Message::OneWay);
        }
        return Err((id, Error::invalid_request("The member `method` is missing.")));
    };
    let Some(method) = string(raw) else {
        let need = needs("The member `method` must be a string.", Some(raw));
        return Err((id, Error::invalid_request(need)));
    };
    let Some(id) = id else {
        if method.starts_with("notifications/") {
            return Ok(Message::OneWay);
        }
        return Err((None, Error::invalid_request("A request needs an `id`.")));
    };
    let params = match envelope.params {
        None => P::default(),
        Some(params) => object(params).map_err(|_| {
            let message = "The member `params` must be an object with each of its members once.";
            (Some(id), Error::invalid_params(message).with_status(StatusCode::BAD_REQUEST))
        })?,
    };
    Ok(Message::Request(Request { id, method, params }))
}

/// Distinguishes JSON of another shape from a text that is not JSON.
fn reject<'a>(text: &'a str, error: &serde_json::Error) -> Rejected<'a> {
    #[derive(Deserialize)]
    struct OnlyId<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    match error.classify() {
        Category::Data => {
            let id = serde_json::from_str::<OnlyId<'_>>(text).ok().and_then(|only| only.id);
            let message = "The body is not a JSON-RPC 2.0 message: it needs `jsonrpc`, `id` and \
                           `method`, each once.";
            (id.filter(|id| is_request_id(id)), Error::invalid_request(message))
        }
        Category::Syntax | Category::Eof | Category::Io => {
            (None, Error::parse(format!("The body is not valid JSON: {error}.")))
        }
    }
}

/// The longest id, in bytes: answers repeat it, and every message of a stream does.
const LONGEST_ID: usize = 256;

/// MCP allows strings and integers, but not null. A number with a zero fractional part is an integer (JSON
/// Schema Validation 2020-12 section 6.1.1): some languages know only one type of number.
fn is_request_id(id: &RawValue) -> bool {
    let text = id.get();
    text.len() <= LONGEST_ID && (text.starts_with('"') || is_whole_number(text))
}

/// Whether a JSON text is a number without a fraction, in whatever notation.
fn is_whole_number(json: &str) -> bool {
    let number = json.strip_prefix('-').unwrap_or(json);
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let significant = fraction.trim_end_matches('0');
    // The last digit that is not 0 must stand before the point once the exponent has moved it.
    let zeros = whole.len() - whole.trim_end_matches('0').len();
    if significant.is_empty() && zeros == whole.len() {
        return true;
    }
    let moved =
        if significant.is_empty() { zeros.cast_signed() } else { -significant.len().cast_signed() };
    exponent.parse::<isize>().is_ok_and(|exponent| exponent.saturating_add(moved) >= 0)
}

/// Names an id if it is a number: other values have no bounds.
fn invalid_id(id: &RawValue) -> Error {
    const RULE: &str =
        "The id of a request must be a string or a whole number of at most 256 bytes";
    let is_number = id.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
    Error::invalid_request(if is_number && id.get().len() <= 64 {
        format!("{RULE}, and {id} is neither.")
    } else {
        format!("{RULE}.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        name: Option<&'a RawValue>,
    }

    fn read(body: &[u8]) -> Result<Payload<'_, Params<'_>>, Rejected<'_>> {
        super::read(body)
    }

    fn request(body: &str) -> Request<'_, Params<'_>> {
        match read(body.as_bytes()) {
            Ok(Payload::One(Message::Request(request))) => request,
            other => panic!("{other:?}"),
        }
    }

    fn rejection(body: &[u8]) -> (Option<String>, i32) {
        let (id, error) = read(body).unwrap_err();
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
        (id.map(|id| id.get().to_owned()), error.code().unwrap())
    }

    #[test]
    fn a_request_is_read_in_any_order_of_its_members() {
        let body = r#"{"params":{"name":"x"},"id":"a\"b","method":"tools\/call","jsonrpc":"2.0"}"#;
        let request = request(body);
        assert_eq!(request.method, "tools/call");
        assert_eq!(request.id.get(), r#""a\"b""#);
        assert_eq!(string(request.params.name.unwrap()).unwrap(), "x");
    }

    #[test]
    fn notifications_and_responses_are_one_way() {
        for body in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#,
        ] {
            assert!(matches!(read(body.as_bytes()), Ok(Payload::One(Message::OneWay))), "{body}");
        }
    }

    #[test]
    fn several_messages_are_a_batch_that_is_not_read_yet() {
        for (body, messages) in [("[]", 0), (r#" [{"id":7}, 5,[]]"#, 3)] {
            let Ok(Payload::Batch(batch)) = read(body.as_bytes()) else { panic!("{body}") };
            assert_eq!(batch.len(), messages);
        }
        assert_eq!(rejection(b"[{},]"), (None, -32700));
    }

    #[test]
    fn a_body_that_is_not_json_is_a_parse_error() {
        for body in [
            &b""[..],
            b"{",
            b"hello",
            b"{\"jsonrpc\":\"2.0\",}",
            b"\xff\xfe",
            br#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#,
        ] {
            assert_eq!(rejection(body), (None, -32700), "{body:?}");
        }
    }

    #[test]
    fn an_invalid_request_is_rejected_under_its_id_if_it_has_one() {
        let seven = || Some("7".to_owned());
        for (body, id) in [
            ("7", None),
            ("{}", None),
            (r#"{"jsonrpc":"2.0","id":7}"#, seven()),
            (r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#, seven()),
            (r#"{"id":7,"method":"ping"}"#, seven()),
            (r#"{"jsonrpc":"2.0","id":7,"method":5}"#, seven()),
            (r#"{"jsonrpc":"2.0","id":7,"method":null}"#, seven()),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":15e-1,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","method":"tools/call"}"#, None),
            (r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"ping"}"#, seven()),
        ] {
            assert_eq!(rejection(body.as_bytes()), (id, -32600), "{body}");
        }
    }

    #[test]
    fn an_id_is_a_string_or_a_whole_number_as_it_was_written() {
        for id in [
            "1",
            "-1",
            "0",
            "1.0",
            "-1.00",
            "0.0",
            "1e2",
            "1.5e1",
            "150E-1",
            "0.0e-5",
            "100e-2",
            "0e-9",
            "9007199254740993.0",
            "\"\"",
        ] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(request(&body).id.get(), id);
        }
        for id in ["1.5", "0.1", "1e-1", "15e-1", "1.05e1", "9007199254740993.5", "-0.5"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            let (given, error) = read(body.as_bytes()).unwrap_err();
            assert!(given.is_none());
            let error = error.into_reply(None);
            let sentence = format!("at most 256 bytes, and {id} is neither.");
            let json = str::from_utf8(error.as_json()).unwrap().to_owned();
            assert!(json.contains(&sentence), "{json}");
        }
    }

    #[test]
    fn parameters_are_an_object_with_each_member_once() {
        for params in ["[]", "5", "\"x\"", r#"["name"]"#, r#"{"name":"x","name":"y"}"#] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{params}}}"#);
            assert_eq!(rejection(body.as_bytes()), (Some("7".to_owned()), -32602), "{body}");
        }
        let body = r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":null}"#;
        assert!(request(body).params.name.is_none());
    }

    #[test]
    fn deep_nesting_uses_no_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"other":{deep}}}}}"#);
        assert_eq!(request(&body).method, "ping");
        let body = format!(r#"{{"jsonrpc":"2.0","id":{deep},"method":"ping"}}"#);
        assert_eq!(rejection(body.as_bytes()), (None, -32600));
    }
}
