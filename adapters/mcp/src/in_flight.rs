//! How many requests are worked on at once.

use axum::response::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::request_log::RequestLog;
use crate::rpc::RpcError;

/// Many times what it takes to keep a disk or a database busy. What comes on top would only wait
/// longer for the same work: it is better told to come back.
const MOST_IN_FLIGHT: usize = 512;

/// When to come back, in seconds. What is in flight is done long before.
const RETRY_AFTER: u32 = 1;

/// Keeps the time that an answer takes bounded, however many ask.
pub(crate) struct InFlight(Semaphore);

impl InFlight {
    pub(crate) fn new() -> Self {
        Self(Semaphore::new(MOST_IN_FLIGHT))
    }

    /// The right to be worked on, until it is dropped, for a request that is here as a whole: whoever
    /// sends slowly keeps nobody from being answered. Nobody waits for it.
    pub(crate) fn begin(&self, log: &mut RequestLog) -> Result<SemaphorePermit<'_>, RpcError> {
        self.0.try_acquire().map_err(|_| {
            log.code("overloaded");
            too_much()
        })
    }
}

fn too_much() -> RpcError {
    let message =
        "This server has more to do than it can at the moment. Wait a moment and try again.";
    RpcError::unavailable(message, RETRY_AFTER)
}

/// The answer to a request that nobody has looked at, because there are too many: HTTP 503 that says
/// when to come back.
pub fn overloaded() -> Response {
    too_much().into_response(None)
}
