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

/// An instant as `Display` writes it.
pub struct Rfc3339([u8; 24]);

/// Not left to `jiff`: this is a fifth of a list of 50 todos otherwise.
impl From<Instant> for Rfc3339 {
    fn from(instant: Instant) -> Self {
        let time = instant.in_utc();
        let digit = |number: u16| b"0123456789"[usize::from(number % 10)];
        let year = time.year().unsigned_abs();
        let [month, day, hour, minute, second] =
            [time.month(), time.day(), time.hour(), time.minute(), time.second()]
                .map(|number| u16::from(number.unsigned_abs()));
        let millis = time.millisecond().unsigned_abs();
        Self([
            digit(year / 1000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
            b'T',
            digit(hour / 10),
            digit(hour),
            b':',
            digit(minute / 10),
            digit(minute),
            b':',
            digit(second / 10),
            digit(second),
            b'.',
            digit(millis / 100),
            digit(millis / 10),
            digit(millis),
            b'Z',
        ])
    }
}

impl Rfc3339 {
    /// Makes it another instant of the same second.
    pub fn set_millis_of(&mut self, instant: Instant) {
        let millis = instant.as_unix_millis().unsigned_abs() % 1000;
        let digit = |number: u64| b"0123456789"[usize::try_from(number % 10).unwrap_or(0)];
        self.0[20..23].copy_from_slice(&[digit(millis / 100), digit(millis / 10), digit(millis)]);
    }

    /// In ASCII.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(Rfc3339::from(*self).as_str())
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
        fn another_instant_of_a_second_is_written_alike(
            second in 0..=Instant::MAX.as_unix_seconds(),
            millis in prop::array::uniform2(0..1000_i64),
        ) {
            let [one, other] =
                millis.map(|it| Instant::from_unix_millis(second * 1000 + it).unwrap());
            let mut text = Rfc3339::from(one);
            text.set_millis_of(other);
            prop_assert_eq!(text.as_str(), other.to_string());
        }

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
