//! A stream of messages as server-sent events.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;

use super::connections::Busy;
use crate::features::Listener;
use crate::limits::{Share, StreamPermit};

/// How often something is sent while nothing happens, so that no proxy considers the stream dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a stream keeps until its end: the listener's, or that of the client, who then closes at least its
/// sending side.
pub(crate) struct Kept {
    pub(crate) _permit: StreamPermit,
    /// The listener holds parts of the request.
    pub(crate) _share: Arc<Share>,
    /// `None` if the request came without a connection.
    pub(crate) busy: Option<Busy>,
}

/// Sends the messages of `listener` as they come.
pub(crate) fn response(listener: Box<Listener>, kept: Kept) -> Response {
    let events = stream::unfold((listener, kept), |(mut listener, kept)| async {
        let closed = async {
            match &kept.busy {
                Some(busy) => busy.closed_by_client().await,
                None => pending().await,
            }
        };
        let message = tokio::select! {
            message = listener.next() => message?,
            () = closed => return None,
        };
        Some((Ok::<_, Infallible>(Event::default().data(message)), (listener, kept)))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still here");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // nginx would collect events until a buffer is full.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    response
}
