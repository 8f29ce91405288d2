use axum::response::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::jsonrpc::Error;
use crate::record::RequestRecord;

/// Many times what keeps a disk or a database busy. Further requests would only wait longer for the same
/// work, so they are rejected.
const MOST_IN_FLIGHT: usize = 512;

/// When to retry, in seconds. What is in flight has completed long before.
const RETRY_AFTER: u32 = 1;

/// Limits how many requests are processed at once, which bounds the time that an answer takes.
pub(crate) struct InFlight(Semaphore);

impl InFlight {
    pub(crate) fn new() -> Self {
        Self(Semaphore::new(MOST_IN_FLIGHT))
    }

    /// Admits a request whose body has arrived (a slow sender takes no slot), or rejects it at once.
    pub(crate) fn begin(&self, record: &mut RequestRecord) -> Result<SemaphorePermit<'_>, Error> {
        self.0.try_acquire().map_err(|_| {
            record.code("overloaded");
            overload()
        })
    }
}

fn overload() -> Error {
    let message =
        "This server has more to do than it can at the moment. Wait a moment and try again.";
    Error::unavailable(message, RETRY_AFTER)
}

/// HTTP 503 with `Retry-After`, for a request that is not even read because there are too many
/// connections.
pub(crate) fn overloaded() -> Response {
    overload().into_response(None)
}
