//! Reading the body of a request, within limits of size, speed and memory.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::header::EXPECT;
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::jsonrpc::Error;
use crate::limits::{STEP, Share};

/// The largest body, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long the first bytes of a body may take, and how many bytes further ones must have each second on
/// average: 42 seconds for the largest body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const LEAST_BYTES_PER_SECOND: u32 = 32 * 1024;

/// How much of an unread body is discarded, in bytes, and for how long.
const MAX_DISCARDED_BYTES: usize = 256 * 1024;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);

/// The whole body, in one piece, counted in `share` from its first byte on.
///
/// However it is framed, it takes little more memory than it has bytes.
pub(crate) async fn read(body: &mut Body, share: &Share, started: Instant) -> Result<Bytes, Error> {
    let declared = body.size_hint().exact();
    if declared.is_some_and(|size| size > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    let first = next(body, started, 0).await?.unwrap_or_default();
    share.grow(first.len())?;
    if declared == Some(first.len() as u64) || body.is_end_stream() {
        return if first.len() > MAX_BODY_BYTES { Err(too_large()) } else { Ok(first) };
    }
    // In pieces of one size, each of which the next body can use again: a buffer that grows leaves holes of
    // every size behind, and one for the largest body reserves what most do not need.
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let (mut size, mut counted) = (0, first.len());
    let mut data = first;
    loop {
        size += data.len();
        if size > MAX_BODY_BYTES {
            return Err(too_large());
        }
        if size > counted {
            let step = (size - counted).next_multiple_of(STEP);
            share.grow(step)?;
            counted += step;
        }
        let mut rest = &data[..];
        while !rest.is_empty() {
            let piece = match pieces.last_mut() {
                Some(piece) if piece.len() < STEP => piece,
                _ => pieces.push_mut(Vec::with_capacity(STEP)),
            };
            let (fits, more) = rest.split_at(rest.len().min(STEP - piece.len()));
            piece.extend_from_slice(fits);
            rest = more;
        }
        match next(body, started, size).await? {
            Some(more) => data = more,
            None => return Ok(pieces.concat().into()),
        }
    }
}

/// The next bytes of the body; `None` at its end.
async fn next(body: &mut Body, started: Instant, received: usize) -> Result<Option<Bytes>, Error> {
    let received = u32::try_from(received).unwrap_or(u32::MAX);
    let allowed = BODY_TIMEOUT + Duration::from_secs(1) * received / LEAST_BYTES_PER_SECOND;
    loop {
        let frame = timeout_at(started + allowed, body.frame()).await.map_err(|_| too_slow())?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => {
                return Err(Error::parse("The body of this request did not arrive whole."));
            }
            Some(Ok(frame)) => {
                // What is not data are trailers, which mean nothing here.
                if let Ok(data) = frame.into_data()
                    && !data.is_empty()
                {
                    return Ok(Some(data));
                }
            }
        }
    }
}

fn too_large() -> Error {
    let message = "The body of this request has more than 1 MiB.";
    Error::transport(StatusCode::PAYLOAD_TOO_LARGE, message)
}

fn too_slow() -> Error {
    let message = "The body of this request arrived too slowly: it may take 10 seconds, and one more \
                   for each 32 KiB.";
    Error::transport(StatusCode::REQUEST_TIMEOUT, message)
}

/// Reads and drops the rest of a body, so that the connection can be reused.
///
/// An answer that is ready before the body has arrived would end the connection without notice, and a
/// client that sends its next request on it, as it may, would get no answer to that one. A body of more
/// than the limit is not worth that: its connection ends. Nor is one that the client does not send before
/// it is asked to (RFC 9110 section 10.1.1): that would ask for it.
pub(crate) async fn discard(body: &mut Body, headers: &HeaderMap) {
    if body.is_end_stream() || headers.contains_key(EXPECT) {
        return;
    }
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
    use std::sync::Arc;

    use futures_util::{StreamExt as _, stream};
    use tokio::time::{pause, sleep};

    use super::*;

    fn framed(size: usize, frame: usize) -> Body {
        let frames =
            (0..size).step_by(frame).map(move |at| Bytes::from(vec![b'x'; frame.min(size - at)]));
        Body::from_stream(stream::iter(frames.map(Ok::<_, std::io::Error>)))
    }

    async fn read_all(mut body: Body) -> (Result<Bytes, StatusCode>, Arc<Share>) {
        let share = Share::unlimited();
        let read = read(&mut body, &share, Instant::now()).await;
        (read.map_err(|error| error.status()), share)
    }

    #[tokio::test]
    async fn a_body_takes_little_more_than_its_bytes_however_it_is_framed() {
        for frame in [1, 7, 1_000, 100_000, MAX_BODY_BYTES] {
            let (body, share) = read_all(framed(MAX_BODY_BYTES, frame)).await;
            assert_eq!(body.unwrap().len(), MAX_BODY_BYTES);
            assert!(share.bytes() <= MAX_BODY_BYTES * 12 / 10, "{frame}: {}", share.bytes());
        }
        for size in [0, 1, STEP, STEP + 1, 3 * STEP] {
            let (body, share) = read_all(framed(size, 1)).await;
            assert_eq!(body.unwrap().len(), size);
            assert!(share.bytes() <= size + STEP, "{size}: {}", share.bytes());
        }
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused() {
        for frame in [1_000, MAX_BODY_BYTES + 1] {
            let (body, _) = read_all(framed(MAX_BODY_BYTES + 1, frame)).await;
            assert_eq!(body, Err(StatusCode::PAYLOAD_TOO_LARGE));
        }
    }

    #[tokio::test]
    async fn a_body_that_arrives_too_slowly_is_refused() {
        pause();
        let slowly = |bytes: usize, count: usize, pause: Duration| {
            let frames = stream::iter(0..count).then(move |_| async move {
                sleep(pause).await;
                Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; bytes]))
            });
            read_all(Body::from_stream(frames))
        };
        let second = Duration::from_secs(1);
        assert_eq!(slowly(1, 100, second).await.0, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(slowly(16 * 1024, 40, second).await.0, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(slowly(1, 9, second).await.0.unwrap().len(), 9);
        assert_eq!(slowly(32 * 1024, 32, second).await.0.unwrap().len(), MAX_BODY_BYTES);
    }
}
