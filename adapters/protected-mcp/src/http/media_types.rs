//! Content negotiation: what a request brings, and what it accepts.

use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::jsonrpc::{Error, compressed};

/// Requires a JSON body that is not compressed, and that JSON or a stream of events may be answered.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Error> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    if !types.next().is_some_and(is_json) || types.next().is_some() {
        return Err(Error::transport(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the request with `Content-Type: application/json`.",
        ));
    }
    let is_none = |encoding: &HeaderValue| {
        let encoding = encoding.as_bytes().trim_ascii();
        encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity")
    };
    if !headers.get_all(CONTENT_ENCODING).iter().all(is_none) {
        return Err(compressed());
    }
    // The protocol wants clients to accept both types; one is enough, because nearly all answers are JSON.
    check_accepts(
        headers,
        &["application/json", "text/event-stream", "*/*", "application/*", "text/*"],
    )
}

/// Requires that a stream of events may be answered.
pub(crate) fn check_accepts_events(headers: &HeaderMap) -> Result<(), Error> {
    check_accepts(headers, &["text/event-stream", "text/*", "*/*"])
}

fn check_accepts(headers: &HeaderMap, ranges: &[&str]) -> Result<(), Error> {
    let mut accept = headers.get_all(ACCEPT).iter().peekable();
    if accept.peek().is_some() && !accept.any(|header| accepts(header, ranges)) {
        return Err(Error::transport(
            StatusCode::NOT_ACCEPTABLE,
            "Send the request with `Accept: application/json, text/event-stream`.",
        ));
    }
    Ok(())
}

/// The media type of a header value, without its parameters.
fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn is_json(content_type: &HeaderValue) -> bool {
    content_type
        .to_str()
        .is_ok_and(|value| media_type(value).eq_ignore_ascii_case("application/json"))
}

fn accepts(accept: &HeaderValue, ranges: &[&str]) -> bool {
    accept.to_str().is_ok_and(|value| {
        value
            .split(',')
            .any(|range| ranges.iter().any(|fit| media_type(range).eq_ignore_ascii_case(fit)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(headers: &[(&'static str, &str)]) -> Option<StatusCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        check(&map).err().map(|error| error.status())
    }

    #[test]
    fn a_body_must_be_declared_as_json() {
        let unsupported = Some(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(status(&[]), unsupported);
        assert_eq!(status(&[("content-type", "text/plain")]), unsupported);
        assert_eq!(status(&[("content-type", "application/jsonp")]), unsupported);
        assert_eq!(status(&[("content-type", "Application/JSON; charset=utf-8")]), None);
    }

    #[test]
    fn a_body_must_not_be_compressed() {
        let with = |encoding| {
            status(&[("content-type", "application/json"), ("content-encoding", encoding)])
        };
        for bad in ["gzip", "deflate", "br", "zstd", "gzip, identity", "x-gzip"] {
            assert_eq!(with(bad), Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{bad}");
        }
        assert_eq!(with("identity"), None);
        assert_eq!(with(""), None);
        assert_eq!(with("Identity "), None);
    }

    #[test]
    fn an_answer_must_be_acceptable() {
        let with = |accept| status(&[("content-type", "application/json"), ("accept", accept)]);
        for good in ["application/json, text/event-stream", "*/*", "text/event-stream;q=0.5"] {
            assert_eq!(with(good), None, "{good}");
        }
        for bad in ["text/html", "", "image/*, application/xml"] {
            assert_eq!(with(bad), Some(StatusCode::NOT_ACCEPTABLE), "{bad}");
        }
    }
}
