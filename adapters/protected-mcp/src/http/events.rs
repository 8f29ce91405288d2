//! A stream of messages as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::limits::StreamPermit;
use crate::features::Listener;

/// How often something is sent while nothing happens, so that no proxy considers the stream dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Sends the messages of `listener` as they come, and keeps `permit` until the end.
pub(crate) fn response(listener: Box<Listener>, permit: StreamPermit) -> Response {
    let events = stream::unfold((listener, permit), |(mut listener, permit)| async {
        let message = listener.next().await?;
        Some((Ok::<_, Infallible>(Event::default().data(message)), (listener, permit)))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still here");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // nginx would collect events until a buffer is full.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    response
}
