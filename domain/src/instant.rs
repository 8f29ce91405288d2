//! Points in time, as precise as every store keeps them.

use std::fmt;

use jiff::Timestamp;
use thiserror::Error;

/// A point in time in whole milliseconds, from 1970 to 9999, in UTC.
///
/// Milliseconds because that is what survives every store, every JSON client and a version 7 UUID:
/// an instant that was written is the instant that is read back.
/// Its `Display` is RFC 3339 with three decimals: `2026-11-22T09:30:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

/// The number lies outside the years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} ms since 1970 lies outside the years 1970 to 9999")]
pub struct InstantError(pub i64);

impl Instant {
    /// 1970-01-01T00:00:00Z, the earliest there is.
    pub const UNIX_EPOCH: Self = Self(Timestamp::UNIX_EPOCH);

    /// Reads milliseconds since 1970-01-01T00:00:00Z.
    pub fn from_unix_millis(millis: i64) -> Result<Self, InstantError> {
        if millis < 0 {
            return Err(InstantError(millis));
        }
        Timestamp::from_millisecond(millis).map(Self).map_err(|_| InstantError(millis))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, the unit of a JWT `NumericDate`.
    pub fn as_unix_seconds(self) -> i64 {
        self.0.as_second()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.3}", self.0)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_instant_is_shown_as_rfc_3339_in_utc() {
        let instant = Instant::from_unix_millis(1_795_340_000_007).unwrap();
        assert_eq!(instant.to_string(), "2026-11-22T09:33:20.007Z");
        assert_eq!(Instant::from_unix_millis(0).unwrap().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn other_centuries_are_refused() {
        assert_eq!(Instant::from_unix_millis(-1), Err(InstantError(-1)));
        assert_eq!(Instant::from_unix_millis(i64::MAX), Err(InstantError(i64::MAX)));
    }

    proptest! {
        #[test]
        fn milliseconds_survive_the_round_trip(millis in 0_i64..253_000_000_000_000) {
            prop_assert_eq!(Instant::from_unix_millis(millis).unwrap().as_unix_millis(), millis);
        }
    }
}
