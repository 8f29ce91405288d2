use crate::jsonrpc::Error;

/// When to retry, in seconds. What is in flight has completed long before.
const RETRY_AFTER: u32 = 1;

/// HTTP 503 with `Retry-After`.
pub(crate) fn overload() -> Error {
    let message =
        "This server has more to do than it can at the moment. Wait a moment and try again.";
    Error::unavailable(message, RETRY_AFTER).with_log_code("overloaded")
}
