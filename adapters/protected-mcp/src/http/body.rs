//! Reading the body of a request, within limits of size and time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::jsonrpc::Error;

/// The largest body, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The size of all headers together, in bytes. Tokens have 1 to 2 KiB.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of an unread body is discarded, in bytes, and for how long.
const MAX_DISCARDED_BYTES: usize = 256 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

pub(crate) fn check_header_size(headers: &HeaderMap) -> Result<(), Error> {
    let sizes = headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    if sizes.sum::<usize>() <= MAX_HEADER_BYTES {
        return Ok(());
    }
    Err(Error::transport(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The headers of this request have more than 16 KiB.",
    ))
}

/// The whole body.
pub(crate) async fn read(body: &mut Body) -> Result<Bytes, Error> {
    let collect = Limited::new(body, MAX_BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, collect).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::transport(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body of this request has more than 1 MiB.",
        )),
        Ok(Err(_)) => Err(Error::parse("The body of this request did not arrive whole.")),
        Err(_) => Err(Error::transport(
            StatusCode::REQUEST_TIMEOUT,
            "The body of this request took more than 30 seconds to arrive.",
        )),
    }
}

/// Reads and drops the rest of a body, so that the connection can be reused.
///
/// An answer that is ready before the body has arrived would end the connection without notice, and a
/// client that sends its next request on it, as it may, would get no answer to that one. A body of more
/// than the limit is not worth that: its connection ends.
pub(crate) async fn discard(body: &mut Body) {
    let mut left = MAX_DISCARDED_BYTES;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(size) else { break };
            left = rest;
        }
    };
    // A body that takes too long is treated like one that is too large.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, read).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_a_limit_together() {
        let mut headers = HeaderMap::new();
        headers.insert("x-long", "x".repeat(MAX_HEADER_BYTES - 6).parse().unwrap());
        assert!(check_header_size(&headers).is_ok());
        headers.insert("x", "y".parse().unwrap());
        let status = check_header_size(&headers).unwrap_err().status();
        assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
}
