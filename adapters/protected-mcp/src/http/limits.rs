//! Limits on what one caller, and all callers together, may use at once.

mod in_flight;
mod rate_limit;
mod stream_limit;

pub(crate) use in_flight::{InFlight, overloaded};
pub(crate) use rate_limit::RateLimit;
pub(crate) use stream_limit::{StreamLimit, StreamPermit};

/// The limits of one server.
pub(crate) struct Limits {
    pub(crate) rate: RateLimit,
    pub(crate) in_flight: InFlight,
    pub(crate) streams: StreamLimit,
}
