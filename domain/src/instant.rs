//! Instants in milliseconds, the precision of every store.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use thiserror::Error;

/// An instant in whole milliseconds, from 1970 to 9999.
///
/// Milliseconds are what every store, every JSON client and a version 7 UUID preserve, so an instant is
/// read back as it was written. `Display` writes RFC 3339 in UTC with three decimals:
/// `2026-11-22T09:30:00.000Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} ms since 1970 is outside the years 1970 to 9999")]
pub struct InstantError(pub i64);

impl Instant {
    /// 1970-01-01T00:00:00Z, the earliest instant.
    pub const UNIX_EPOCH: Self = Self(Timestamp::UNIX_EPOCH);

    /// The end of the year 9999 in every time zone, the latest instant.
    pub const MAX: Self = Self(Timestamp::constant(253_402_207_200, 999_000_000));

    /// From milliseconds since 1970-01-01T00:00:00Z.
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

    pub(crate) fn timestamp(self) -> Timestamp {
        self.0
    }

    /// What a clock in UTC shows.
    pub(crate) fn in_utc(self) -> DateTime {
        Offset::UTC.to_datetime(self.0)
    }

    /// The inverse of [`Instant::in_utc`]. `None` before 1970 and after [`Instant::MAX`].
    pub(crate) fn from_utc(time: DateTime) -> Option<Self> {
        let timestamp = Offset::UTC.to_timestamp(time).ok()?;
        Self::from_unix_millis(timestamp.as_millisecond()).ok()
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, the unit of a JWT `NumericDate`.
    pub fn as_unix_seconds(self) -> i64 {
        self.0.as_second()
    }
}

/// Not left to `jiff`, whose `{:.3}` writes the same in 71 instructions more: 1.5 % of a list of 50
/// todos.
impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.in_utc();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (place, number) in [
            (0..4, time.year()),
            (5..7, time.month().into()),
            (8..10, time.day().into()),
            (11..13, time.hour().into()),
            (14..16, time.minute().into()),
            (17..19, time.second().into()),
            (20..23, time.millisecond()),
        ] {
            write_digits(&mut text[place], number);
        }
        // It is ASCII.
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes the last digits of a number that is not negative, as many as there is room for.
fn write_digits(room: &mut [u8], mut number: i16) {
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789"[usize::from((number % 10).unsigned_abs())];
        number /= 10;
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
    fn an_instant_is_displayed_as_rfc_3339_in_utc() {
        let instant = Instant::from_unix_millis(1_795_340_000_007).unwrap();
        assert_eq!(instant.to_string(), "2026-11-22T09:33:20.007Z");
        assert_eq!(Instant::from_unix_millis(0).unwrap().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn years_before_1970_and_after_9999_are_rejected() {
        assert_eq!(Instant::from_unix_millis(-1), Err(InstantError(-1)));
        assert_eq!(Instant::from_unix_millis(i64::MAX), Err(InstantError(i64::MAX)));
    }

    proptest! {
        #[test]
        fn an_instant_is_displayed_as_jiff_does(millis in 0_i64..253_000_000_000_000) {
            let instant = Instant::from_unix_millis(millis).unwrap();
            prop_assert_eq!(instant.to_string(), format!("{:.3}", instant.0));
        }

        #[test]
        fn milliseconds_are_preserved(millis in 0_i64..253_000_000_000_000) {
            prop_assert_eq!(Instant::from_unix_millis(millis).unwrap().as_unix_millis(), millis);
        }
    }
}
