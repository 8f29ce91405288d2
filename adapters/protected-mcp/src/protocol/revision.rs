//! Which revision of the protocol a request uses, determined from that request alone.
//!
//! Since 2026-07-28 every request states it, in `_meta` and again in headers that must agree. Before, a
//! client negotiated once with `initialize` and sent the revision in a header from then on. One endpoint
//! serves both, and remembers nothing between requests.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::era::{Era, LEGACY, MODERN, SUPPORTED, WITH_BATCHES};
use super::errors;
use super::params::Params;
use crate::jsonrpc::{Error, Request, is_object, object, string};

/// MCP `LoggingLevel`.
const LOG_LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

static VERSION_HEADER: HeaderName = HeaderName::from_static("mcp-protocol-version");
static METHOD_HEADER: HeaderName = HeaderName::from_static("mcp-method");
static NAME_HEADER: HeaderName = HeaderName::from_static("mcp-name");

/// The members of `_meta` that 2026-07-28 requires or knows.
#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    client_capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel")]
    log_level: Option<&'a RawValue>,
}

/// Determines the era, and checks a request of 2026-07-28 against its rules.
pub(crate) fn era_of(request: &Request<'_, Params<'_>>, headers: &HeaderMap) -> Result<Era, Error> {
    let meta: Meta<'_> = match request.params.meta {
        None => Meta::default(),
        Some(meta) => object(meta).map_err(|_| {
            errors::invalid_meta("`_meta` must be an object with each of its members once.")
        })?,
    };
    let header = only(headers, &VERSION_HEADER)?.map(HeaderValue::as_bytes);

    let Some(claimed) = meta.protocol_version else {
        return without_envelope(request, header);
    };
    let Some(claimed) = string(claimed) else {
        return Err(errors::invalid_meta("The protocol version in `_meta` must be a string."));
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
        // A revision that does not require this `_meta` but allows it.
        version if LEGACY.contains(&version) => return Ok(Era::Legacy),
        version => return Err(errors::unsupported_version(version)),
    }
    if !meta.client_capabilities.is_some_and(is_object) {
        return Err(errors::invalid_meta(
            "`_meta` must hold `io.modelcontextprotocol/clientCapabilities`, an object.",
        ));
    }
    if let Some(level) = meta.log_level {
        check_log_level(level)?;
    }
    check_standard_headers(request, headers)?;
    Ok(Era::Modern)
}

/// Checks the one rule for a message without an answer: a revision in its header must be a supported
/// one.
pub(crate) fn check_version(headers: &HeaderMap) -> Result<(), Error> {
    match only(headers, &VERSION_HEADER)?.map(HeaderValue::as_bytes) {
        Some(version) if !SUPPORTED.iter().any(|known| known.as_bytes() == version) => {
            let version = String::from_utf8_lossy(version);
            Err(errors::unsupported_version(&version))
        }
        _ => Ok(()),
    }
}

/// The revision that a request of this era states in its header, if it is supported.
pub(crate) fn stated_revision(era: Era, headers: &HeaderMap) -> Option<&'static str> {
    if era == Era::Modern {
        return Some(MODERN);
    }
    let stated = headers.get(&VERSION_HEADER)?.as_bytes();
    SUPPORTED.into_iter().find(|known| known.as_bytes() == stated)
}

/// Checks a logging level. This server sends no log messages, so it complies with every valid level.
pub(crate) fn check_log_level(level: &RawValue) -> Result<(), Error> {
    if string(level).is_some_and(|level| LOG_LEVELS.contains(&&*level)) {
        return Ok(());
    }
    let levels = LOG_LEVELS.join(", ");
    Err(Error::invalid_params(format!("The level of logging must be one of {levels}.")))
}

/// Whether a body may hold several messages: only in 2025-03-26, which is also assumed for clients that
/// send no revision.
pub(crate) fn allows_batches(headers: &HeaderMap) -> Result<bool, Error> {
    let header = only(headers, &VERSION_HEADER)?;
    Ok(header.is_none_or(|version| version.as_bytes() == WITH_BATCHES.as_bytes()))
}

fn without_envelope(
    request: &Request<'_, Params<'_>>,
    header: Option<&[u8]>,
) -> Result<Era, Error> {
    match header {
        // Clients older than the header; the protocol says to assume 2025-03-26.
        None => Ok(Era::Legacy),
        // It negotiates the revision in its parameters.
        Some(_) if request.method == "initialize" => Ok(Era::Legacy),
        Some(version) if LEGACY.iter().any(|known| known.as_bytes() == version) => Ok(Era::Legacy),
        Some(version) if version == MODERN.as_bytes() => Err(errors::invalid_meta(
            "Every request of MCP 2026-07-28 needs `_meta` with \
             `io.modelcontextprotocol/protocolVersion` and \
             `io.modelcontextprotocol/clientCapabilities`.",
        )),
        Some(version) => {
            let version = String::from_utf8_lossy(version);
            Err(errors::unsupported_version(&version))
        }
    }
}

/// The headers that let a gateway route without reading the body must match the body.
fn check_standard_headers(
    request: &Request<'_, Params<'_>>,
    headers: &HeaderMap,
) -> Result<(), Error> {
    let method = only(headers, &METHOD_HEADER)?.ok_or_else(|| missing("Mcp-Method"))?;
    if method.as_bytes().trim_ascii() != request.method.as_bytes() {
        return Err(mismatch("Mcp-Method", "the method"));
    }
    if let Some((name, parameter)) = request.params.mirrored_in_name_header(&request.method) {
        let header = only(headers, &NAME_HEADER)?.ok_or_else(|| missing("Mcp-Name"))?;
        let header = unwrap_header(header).ok_or_else(|| {
            errors::header_mismatch(
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

/// The value of a header that must not be repeated: a gateway may have used the other value.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Error> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(errors::header_mismatch(format!("The header {name} is repeated."))),
    }
}

/// The value of a header that may be wrapped as `=?base64?..?=`, for text that headers cannot hold. A
/// value without the complete wrapper is literal.
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

/// Whether a value has only the characters that the protocol allows in its headers: visible ASCII, space
/// and tab.
fn is_header_text(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

fn missing(header: &str) -> Error {
    errors::header_mismatch(format!("The header {header} is missing."))
}

fn mismatch(header: &str, body: &str) -> Error {
    errors::header_mismatch(format!("The header {header} does not match the body: {body}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Message, Payload, read};

    const CAPABILITIES: &str = r#""io.modelcontextprotocol/clientCapabilities":{}"#;

    fn judge(method: &str, params: &str, headers: &[(&HeaderName, &str)]) -> Result<Era, i32> {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let Ok(Payload::One(Message::Request(request))) = read::<Params<'_>>(body.as_bytes())
        else {
            panic!("{body}")
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        era_of(&request, &map).map_err(|error| error.code().unwrap())
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
    fn a_request_that_states_it_in_body_and_headers_is_modern() {
        assert_eq!(list(&meta(MODERN), MODERN), Ok(Era::Modern));
    }

    #[test]
    fn a_request_without_a_revision_is_legacy() {
        assert_eq!(judge("tools/list", "{}", &[]), Ok(Era::Legacy));
        assert_eq!(judge("tools/list", r#"{"_meta":{"progressToken":1}}"#, &[]), Ok(Era::Legacy));
        for version in LEGACY {
            assert_eq!(list("{}", version), Ok(Era::Legacy));
            assert_eq!(list(&meta(version), version), Ok(Era::Legacy));
        }
        assert_eq!(judge("initialize", "{}", &[(&VERSION_HEADER, MODERN)]), Ok(Era::Legacy));
    }

    #[test]
    fn an_unknown_revision_is_unsupported() {
        assert_eq!(list("{}", "1999-01-01"), Err(-32022));
        assert_eq!(list(&meta("1999-01-01"), "1999-01-01"), Err(-32022));
    }

    #[test]
    fn header_and_body_must_state_the_same_revision() {
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
    fn the_method_header_is_required_and_must_match() {
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
    fn the_name_header_is_required_and_must_match_also_in_base64() {
        let params = meta(MODERN).replacen('{', r#"{"name":"get_note","#, 1);
        let call = |name: Option<&str>| {
            let mut headers = vec![(&VERSION_HEADER, MODERN), (&METHOD_HEADER, "tools/call")];
            headers.extend(name.map(|name| (&NAME_HEADER, name)));
            judge("tools/call", &params, &headers)
        };
        assert_eq!(call(Some("get_note")), Ok(Era::Modern));
        assert_eq!(call(Some("=?base64?Z2V0X25vdGU=?=")), Ok(Era::Modern));
        for wrong in [
            None,
            Some("delete_note"),
            Some("Get_Note"),
            Some("=?base64?Z2V0X25vdGU?="),
            Some("=?base64?/w==?="),
            Some("get_n\u{f6}te"),
            Some("=?BASE64?Z2V0X25vdGU=?="),
        ] {
            assert_eq!(call(wrong), Err(-32020), "{wrong:?}");
        }
    }
}
