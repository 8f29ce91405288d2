//! Getting the JSON of a request, if it is JSON and of a bearable size.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::rpc::RpcError;

/// The largest body, in bytes: a todo with the longest description fits many times.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The most that all headers may have together, in bytes. Tokens are 1 to 2 KiB.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a body is taken in that nobody reads, in bytes, and for how long.
const MAX_DISCARDED_BYTES: usize = 256 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// Checks that the headers are not more than any client needs.
pub(crate) fn check_header_size(headers: &HeaderMap) -> Result<(), RpcError> {
    let sizes = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    if sizes.sum::<usize>() <= MAX_HEADER_BYTES {
        return Ok(());
    }
    Err(RpcError::transport(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The headers of this request have more than 16 KiB.",
    ))
}

/// Checks the headers that say what comes and what may be answered.
pub(crate) fn check_media_types(headers: &HeaderMap) -> Result<(), RpcError> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    if !types.next().is_some_and(is_json) || types.next().is_some() {
        return Err(RpcError::transport(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the request with `Content-Type: application/json`.",
        ));
    }
    // Nearly all of our answers are JSON. The protocol wants clients to accept both types; one will do.
    check_accepts(
        headers,
        &["application/json", "text/event-stream", "*/*", "application/*", "text/*"],
    )
}

/// Checks that a stream of events may be answered, where nothing else can be.
pub(crate) fn check_accepts_events(headers: &HeaderMap) -> Result<(), RpcError> {
    check_accepts(headers, &["text/event-stream", "text/*", "*/*"])
}

fn check_accepts(headers: &HeaderMap, ranges: &[&str]) -> Result<(), RpcError> {
    let mut accept = headers.get_all(ACCEPT).iter().peekable();
    if accept.peek().is_some() && !accept.any(|header| accepts(header, ranges)) {
        return Err(RpcError::transport(
            StatusCode::NOT_ACCEPTABLE,
            "Send the request with `Accept: application/json, text/event-stream`.",
        ));
    }
    Ok(())
}

/// The whole body.
pub(crate) async fn read(body: &mut Body) -> Result<Bytes, RpcError> {
    let collect = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, collect).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(RpcError::transport(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body of this request has more than 1 MiB.",
        )),
        Ok(Err(_)) => Err(RpcError::parse("The body of this request did not arrive whole.")),
        Err(_) => Err(RpcError::transport(
            StatusCode::REQUEST_TIMEOUT,
            "The body of this request took more than 30 seconds to arrive.",
        )),
    }
}

/// Takes in what nobody read, so that the connection can be used again.
///
/// An answer that is ready before the body is here would end the connection without a word, and a
/// client that sends its next request on it, as it may, would get no answer to that one. Whoever has
/// more to send than a refusal is worth does lose the connection.
pub(crate) async fn discard(body: &mut Body) {
    let mut left = MAX_DISCARDED_BYTES;
    let take = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(size) else { break };
            left = rest;
        }
    };
    // Too late is as good as too much: the connection ends.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, take).await;
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
        let checked = check_header_size(&map).and_then(|()| check_media_types(&map));
        checked.err().map(|error| error.status)
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
    fn an_answer_must_be_acceptable() {
        let with = |accept| status(&[("content-type", "application/json"), ("accept", accept)]);
        for good in ["application/json, text/event-stream", "*/*", "text/event-stream;q=0.5"] {
            assert_eq!(with(good), None, "{good}");
        }
        for bad in ["text/html", "", "image/*, application/xml"] {
            assert_eq!(with(bad), Some(StatusCode::NOT_ACCEPTABLE), "{bad}");
        }
    }

    #[test]
    fn headers_have_a_limit_together() {
        let long = "x".repeat(MAX_HEADER_BYTES);
        let headers = [("content-type", "application/json"), ("x-long", long.as_str())];
        assert_eq!(status(&headers), Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
}
