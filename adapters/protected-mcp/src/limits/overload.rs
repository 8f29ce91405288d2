use crate::jsonrpc::Error;

/// When to retry, in seconds. What is in flight has completed long before.
const RETRY_AFTER: u32 = 1;

/// What there is not enough of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scarce {
    Memory,
    /// Places at work.
    Work,
    Streams,
    Connections,
}

impl Scarce {
    /// The stable word for logs and metrics.
    fn code(self) -> &'static str {
        match self {
            Self::Memory => "overloaded_memory",
            Self::Work => "overloaded_work",
            Self::Streams => "overloaded_streams",
            Self::Connections => "overloaded_connections",
        }
    }
}

/// HTTP 503 with `Retry-After`.
pub(crate) fn overload(scarce: Scarce) -> Error {
    let message =
        "This server has more to do than it can at the moment. Wait a moment and try again.";
    Error::unavailable(message, RETRY_AFTER).with_log_code(scarce.code())
}
