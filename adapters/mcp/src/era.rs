//! Which revision of the protocol a request speaks, judged by that request alone.
//!
//! Since 2026-07-28 every request says so itself, in `_meta` and again in headers that must agree
//! with it. Before, a client negotiated once with `initialize` and named the revision in a header
//! from then on. Both come to one endpoint; nothing is remembered between requests.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope::{Request, is_object, object, string};
use crate::rpc::RpcError;

/// The revisions we speak, the newest first: what `server/discover` lists.
pub(crate) const SUPPORTED: [&str; 4] = [MODERN, LEGACY[0], LEGACY[1], LEGACY[2]];

/// The revision in which every request stands alone.
const MODERN: &str = "2026-07-28";

/// The revisions that begin with `initialize`, the newest first.
pub(crate) const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

const WITH_BATCHES: &str = LEGACY[2];

/// MCP `LoggingLevel`.
const LOG_LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

static VERSION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
static METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
static NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");

/// Which rules apply to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-03-26, 2025-06-18 and 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

impl Era {
    /// The HTTP status of a method that does not exist.
    pub(crate) fn method_not_found_status(self) -> StatusCode {
        match self {
            Self::Legacy => StatusCode::OK,
            Self::Modern => StatusCode::NOT_FOUND,
        }
    }
}

/// What a request of the new era says about itself.
#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    client_capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<&'a RawValue>,
}

/// Tells the era, and holds a request of the new one to its rules.
pub(crate) fn of(request: &Request<'_>, headers: &HeaderMap) -> Result<Era, RpcError> {
    let meta: Meta<'_> = match request.params.meta {
        None => Meta::default(),
        Some(meta) => object(meta).map_err(|_| {
            RpcError::invalid_meta("`_meta` must be an object with each of its members once.")
        })?,
    };
    let header = only(headers, &VERSION_HEADER)?.map(HeaderValue::as_bytes);

    let Some(claimed) = meta.protocol_version else {
        return without_envelope(request, header);
    };
    let Some(claimed) = string(claimed) else {
        return Err(RpcError::invalid_meta("The protocol version in `_meta` must be a string."));
    };
    match header {
        Some(header) if header == claimed.as_bytes() => {}
        Some(_) => {
            return Err(mismatch("MCP-Protocol-Version", "the protocol version in `_meta`"));
        }
        None => return Err(missing("MCP-Protocol-Version")),
    }
    match &*claimed {
        MODERN => {}
        // A revision without this envelope, which may carry any other `_meta`.
        version if LEGACY.contains(&version) => return Ok(Era::Legacy),
        version => return Err(RpcError::unsupported_version(version, &SUPPORTED)),
    }
    if !meta.client_capabilities.is_some_and(is_object) {
        return Err(RpcError::invalid_meta(
            "`_meta` must hold `io.modelcontextprotocol/clientCapabilities`, an object.",
        ));
    }
    if let Some(level) = meta.log_level {
        check_log_level(level)?;
    }
    check_standard_headers(request, headers)?;
    Ok(Era::Modern)
}

/// Holds a message that needs no answer to the one rule that there is for it: a revision that its
/// header names must be one that we speak.
pub(crate) fn check_version(headers: &HeaderMap) -> Result<(), RpcError> {
    match only(headers, &VERSION_HEADER)?.map(HeaderValue::as_bytes) {
        Some(version) if !SUPPORTED.iter().any(|known| known.as_bytes() == version) => {
            let version = String::from_utf8_lossy(version);
            Err(RpcError::unsupported_version(&version, &SUPPORTED))
        }
        _ => Ok(()),
    }
}

/// Holds a level to what there is. We send no log messages, so any level that exists is kept to.
pub(crate) fn check_log_level(level: &RawValue) -> Result<(), RpcError> {
    if string(level).is_some_and(|level| LOG_LEVELS.contains(&&*level)) {
        return Ok(());
    }
    let levels = LOG_LEVELS.join(", ");
    Err(RpcError::invalid_params(format!("The level of logging must be one of {levels}.")))
}

/// Whether several messages may come in one body: only 2025-03-26 had that, and whoever names no
/// revision is taken for it.
pub(crate) fn allows_batches(headers: &HeaderMap) -> Result<bool, RpcError> {
    let header = only(headers, &VERSION_HEADER)?;
    Ok(header.is_none_or(|version| version.as_bytes() == WITH_BATCHES.as_bytes()))
}

fn without_envelope(request: &Request<'_>, header: Option<&[u8]>) -> Result<Era, RpcError> {
    match header {
        // Clients older than the header; the protocol says to take them for 2025-03-26.
        None => Ok(Era::Legacy),
        // It chooses its revision itself.
        Some(_) if request.method == "initialize" => Ok(Era::Legacy),
        Some(version) if LEGACY.iter().any(|known| known.as_bytes() == version) => Ok(Era::Legacy),
        Some(version) if version == MODERN.as_bytes() => Err(RpcError::invalid_meta(
            "Every request of MCP 2026-07-28 needs `_meta` with \
             `io.modelcontextprotocol/protocolVersion` and \
             `io.modelcontextprotocol/clientCapabilities`.",
        )),
        Some(version) => {
            let version = String::from_utf8_lossy(version);
            Err(RpcError::unsupported_version(&version, &SUPPORTED))
        }
    }
}

/// The headers that let a gateway route without reading the body must say what the body says.
fn check_standard_headers(request: &Request<'_>, headers: &HeaderMap) -> Result<(), RpcError> {
    let method = only(headers, &METHOD_HEADER)?.ok_or_else(|| missing("Mcp-Method"))?;
    if method.as_bytes().trim_ascii() != request.method.as_bytes() {
        return Err(mismatch("Mcp-Method", "the method"));
    }
    // What the method is about, by the parameter that says so.
    let named = match &*request.method {
        "tools/call" | "prompts/get" => Some((request.params.name, "`params.name`")),
        "resources/read" => Some((request.params.uri, "`params.uri`")),
        _ => None,
    };
    if let Some((name, parameter)) = named {
        let header = only(headers, &NAME_HEADER)?.ok_or_else(|| missing("Mcp-Name"))?;
        let header = unwrap_header(header).ok_or_else(|| {
            RpcError::header_mismatch(
                "The header Mcp-Name is neither visible ASCII nor text in valid base64.",
            )
        })?;
        let name = name.and_then(string).unwrap_or_default();
        if header != name.as_bytes() {
            return Err(mismatch("Mcp-Name", parameter));
        }
    }
    Ok(())
}

/// The value of a header that must not be there twice: a gateway may have gone by the other one.
fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, RpcError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => {
            Err(RpcError::header_mismatch(format!("The header {name} is there more than once.")))
        }
    }
}

/// The value of a header that may be wrapped as `=?base64?..?=`, because it holds what headers
/// cannot. A value without the whole wrapper is meant literally.
fn unwrap_header(value: &HeaderValue) -> Option<Cow<'_, [u8]>> {
    let value = value.as_bytes().trim_ascii();
    let wrapped = value.strip_prefix(b"=?base64?").and_then(|value| value.strip_suffix(b"?="));
    match wrapped {
        None => is_header_text(value).then_some(Cow::Borrowed(value)),
        Some(encoded) => {
            let decoded = BASE64.decode(encoded).ok()?;
            std::str::from_utf8(&decoded).is_ok().then_some(Cow::Owned(decoded))
        }
    }
}

/// Whether a value has only characters that the headers of the protocol may have: visible ASCII,
/// space and tab.
fn is_header_text(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

fn missing(header: &str) -> RpcError {
    RpcError::header_mismatch(format!("The header {header} is missing."))
}

fn mismatch(header: &str, body: &str) -> RpcError {
    RpcError::header_mismatch(format!("The header {header} is not what the body says: {body}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{self, Message, Payload};

    const CAPABILITIES: &str = r#""io.modelcontextprotocol/clientCapabilities":{}"#;

    fn judge(method: &str, params: &str, headers: &[(&HeaderName, &str)]) -> Result<Era, i32> {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let Ok(Payload::One(Message::Request(request))) = envelope::read(body.as_bytes()) else {
            panic!("{body}")
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        of(&request, &map).map_err(|error| error.code())
    }

    fn meta(version: &str) -> String {
        format!(
            r#"{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}",{CAPABILITIES}}}}}"#
        )
    }

    fn list(params: &str, version: &str) -> Result<Era, i32> {
        judge("tools/list", params, &[(&VERSION_HEADER, version), (&METHOD_HEADER, "tools/list")])
    }

    #[test]
    fn a_request_that_says_so_in_body_and_headers_is_modern() {
        assert_eq!(list(&meta(MODERN), MODERN), Ok(Era::Modern));
    }

    #[test]
    fn a_request_that_says_nothing_is_legacy() {
        assert_eq!(judge("tools/list", "{}", &[]), Ok(Era::Legacy));
        assert_eq!(judge("tools/list", r#"{"_meta":{"progressToken":1}}"#, &[]), Ok(Era::Legacy));
        for version in LEGACY {
            assert_eq!(list("{}", version), Ok(Era::Legacy));
            assert_eq!(list(&meta(version), version), Ok(Era::Legacy));
        }
        assert_eq!(judge("initialize", "{}", &[(&VERSION_HEADER, MODERN)]), Ok(Era::Legacy));
    }

    #[test]
    fn a_revision_nobody_knows_is_unsupported() {
        assert_eq!(list("{}", "1999-01-01"), Err(-32022));
        assert_eq!(list(&meta("1999-01-01"), "1999-01-01"), Err(-32022));
    }

    #[test]
    fn header_and_envelope_must_name_the_same_revision() {
        assert_eq!(list(&meta(MODERN), "2025-11-25"), Err(-32020));
        assert_eq!(list(&meta("2025-11-25"), MODERN), Err(-32020));
        assert_eq!(judge("tools/list", &meta(MODERN), &[]), Err(-32020));
    }

    #[test]
    fn an_incomplete_envelope_is_invalid() {
        assert_eq!(list("{}", MODERN), Err(-32602));
        assert_eq!(list(r#"{"_meta":5}"#, MODERN), Err(-32602));
        assert_eq!(list(&format!(r#"{{"_meta":{{{CAPABILITIES}}}}}"#), MODERN), Err(-32602));
        let version = format!(r#""io.modelcontextprotocol/protocolVersion":"{MODERN}""#);
        assert_eq!(list(&format!(r#"{{"_meta":{{{version}}}}}"#), MODERN), Err(-32602));
        let array = r#""io.modelcontextprotocol/clientCapabilities":[]"#;
        assert_eq!(list(&format!(r#"{{"_meta":{{{version},{array}}}}}"#), MODERN), Err(-32602));
    }

    #[test]
    fn the_method_header_must_be_there_and_agree() {
        let version = (&VERSION_HEADER, MODERN);
        let judge = |headers: &[_]| judge("tools/list", &meta(MODERN), headers);
        assert_eq!(judge(&[version]), Err(-32020));
        assert_eq!(judge(&[version, (&METHOD_HEADER, "tools/call")]), Err(-32020));
        assert_eq!(judge(&[version, (&METHOD_HEADER, "Tools/List")]), Err(-32020));
        assert_eq!(judge(&[version, (&METHOD_HEADER, " tools/list ")]), Ok(Era::Modern));
        let twice = [version, (&METHOD_HEADER, "tools/list"), (&METHOD_HEADER, "tools/call")];
        assert_eq!(judge(&twice), Err(-32020));
        assert_eq!(judge(&[version, version, (&METHOD_HEADER, "tools/list")]), Err(-32020));
    }

    #[test]
    fn the_name_header_must_be_there_and_agree_also_in_base64() {
        let params = meta(MODERN).replacen('{', r#"{"name":"get_todo","#, 1);
        let call = |name: Option<&str>| {
            let mut headers = vec![(&VERSION_HEADER, MODERN), (&METHOD_HEADER, "tools/call")];
            headers.extend(name.map(|name| (&NAME_HEADER, name)));
            judge("tools/call", &params, &headers)
        };
        assert_eq!(call(Some("get_todo")), Ok(Era::Modern));
        assert_eq!(call(Some("=?base64?Z2V0X3RvZG8=?=")), Ok(Era::Modern));
        for wrong in [
            None,
            Some("delete_todo"),
            Some("Get_Todo"),
            Some("=?base64?Z2V0X3RvZG8?="),
            Some("=?base64?/w==?="),
            Some("get_t\u{f6}do"),
            Some("=?BASE64?Z2V0X3RvZG8=?="),
        ] {
            assert_eq!(call(wrong), Err(-32020), "{wrong:?}");
        }
    }
}
