//! When a todo is due.

use std::fmt;

use jiff::civil::{self, DateTime};
use thiserror::Error;

use crate::day::{Day, DayError, OtherWeekday, Weekday};
use crate::instant::Instant;
use crate::time_zone::TimeZone;

/// When a todo is due, as it was meant: a day stays a day wherever it is read, and a local time stays what
/// a clock there shows, also if the rules of its zone change.
///
/// `Display` writes what [`WrittenDue`] reads, without the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// On this day, at any time.
    Day(Day),
    /// When a clock in this zone shows this.
    Local(LocalTime, TimeZone),
    At(Instant),
}

/// A date and a time of day without a zone, in whole milliseconds. `Display` writes `2026-12-24T17:30`, with
/// seconds and their fraction if they are not zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(DateTime);

/// When a todo is due, as it was written: a local time has no zone yet.
///
/// | text | is |
/// |---|---|
/// | `2026-12-24` | a day |
/// | `2026-12-24T17:30`, `2026-12-24T17:30:15` | a local time |
/// | `2026-12-24T16:30:00Z`, `2026-12-24T17:30+01:00` | an instant (RFC 3339) |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrittenDue {
    Day(Day),
    Local(LocalTime),
    /// The instant, and the day that was written.
    At(Instant, Day),
}

/// Why a text does not say when a todo is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DueError {
    #[error(
        "must be a day such as 2026-12-24, a local time such as 2026-12-24T17:30, or an instant such as \
         2026-12-24T16:30:00Z"
    )]
    Form,
    #[error(transparent)]
    Day(#[from] DayError),
    /// The end of a day is the beginning of the next one, which this is.
    #[error("has hours from 00 to 23; the end of that day is {0}T00:00")]
    EndOfDay(Day),
    #[error("has hours from 00 to 23 and minutes and seconds from 00 to 59")]
    Time,
    /// A clock shows 60 seconds.
    #[error("has seconds from 00 to 59; a leap second cannot be kept, so write 59")]
    LeapSecond,
    #[error("has at most three digits after the seconds")]
    TooPrecise,
    #[error("has an offset from UTC between -25:59 and +25:59, such as +01:00")]
    Offset,
    #[error(transparent)]
    Range(#[from] OutOfRange),
}

/// When a todo is to be due, as a caller asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedDue {
    pub written: WrittenDue,
    /// The zone of a local time, if it is not that of the caller.
    pub time_zone: Option<TimeZone>,
    /// What the day that is written is thought to be.
    pub weekday: Option<Weekday>,
}

/// Why a todo cannot be due when a caller asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnresolvedDue {
    #[error(transparent)]
    OtherWeekday(#[from] OtherWeekday),
    /// A local time needs a zone.
    #[error(
        "{0} is a local time, and the time zone of the user is not known: pass `time_zone` too"
    )]
    NoTimeZone(LocalTime),
    /// An instant has no use for a zone. It may be a local time with a `Z` that was added.
    #[error("is an instant; to give a local time in a zone, leave out `Z` or the offset")]
    InstantWithTimeZone,
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// A time is before 1970 in UTC, or within the last two days of the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is a time before 1970 or after 9999-12-30, which cannot be kept; a day can")]
pub struct OutOfRange;

impl WrittenDue {
    /// The day that was written.
    pub fn day(self) -> Day {
        match self {
            Self::Day(day) | Self::At(_, day) => day,
            Self::Local(local) => local.day(),
        }
    }
}

impl RequestedDue {
    /// Puts a local time into a zone. A day has no use for one: a caller may pass it with everything.
    pub fn resolve(
        self,
        of_the_caller: impl FnOnce() -> Option<TimeZone>,
    ) -> Result<Due, UnresolvedDue> {
        let Self { written, time_zone, weekday } = self;
        if let Some(weekday) = weekday {
            written.day().check_weekday(weekday)?;
        }
        match written {
            WrittenDue::Day(day) => Ok(Due::Day(day)),
            WrittenDue::Local(local) => {
                let zone = time_zone.or_else(of_the_caller);
                Ok(Due::local(local, zone.ok_or(UnresolvedDue::NoTimeZone(local))?)?)
            }
            WrittenDue::At(..) if time_zone.is_some() => Err(UnresolvedDue::InstantWithTimeZone),
            WrittenDue::At(at, _) => Ok(Due::At(at)),
        }
    }
}

impl Due {
    fn local(local: LocalTime, zone: TimeZone) -> Result<Self, OutOfRange> {
        if zone.instant(local.0).is_some() { Ok(Self::Local(local, zone)) } else { Err(OutOfRange) }
    }

    /// The instant of a time; a day has none.
    pub fn at(&self) -> Option<Instant> {
        match self {
            Self::Day(_) => None,
            Self::Local(local, zone) => zone.instant(local.0),
            Self::At(instant) => Some(*instant),
        }
    }

    pub fn time_zone(&self) -> Option<&TimeZone> {
        match self {
            Self::Day(_) | Self::At(_) => None,
            Self::Local(_, zone) => Some(zone),
        }
    }

    /// The day in `zone`: of a time, the one that a calendar there shows.
    pub fn day_in(&self, zone: &TimeZone) -> Day {
        match (self, self.at()) {
            (Self::Day(day), _) => *day,
            (Self::Local(..) | Self::At(_), Some(at)) => zone.day(at),
            // An instant has itself, and a local time was checked.
            (Self::Local(local, _), None) => local.day(),
            (Self::At(_), None) => Day::FIRST,
        }
    }

    pub fn key(&self) -> DueKey {
        match self {
            Self::Day(day) => DueKey::day(*day),
            Self::Local(local, _) => DueKey::time(local.0),
            Self::At(instant) => DueKey::time(instant.in_utc()),
        }
    }

    /// The inverse of [`Due::key`] and [`Due::time_zone`].
    pub fn restore(key: DueKey, zone: Option<TimeZone>) -> Result<Self, RestoreDueError> {
        match (key.read().ok_or(RestoreDueError)?, zone) {
            ((day, None), None) => Ok(Self::Day(day)),
            ((_, None), Some(_)) => Err(RestoreDueError),
            ((_, Some(time)), Some(zone)) => {
                Self::local(LocalTime(time), zone).map_err(|OutOfRange| RestoreDueError)
            }
            ((_, Some(time)), None) => Instant::from_utc(time).map(Self::At).ok_or(RestoreDueError),
        }
    }
}

/// The place of a todo in the order of due dates: by the day as it is written (of an instant, in UTC), a
/// whole day before its times, then by the time. It says all of [`Due`] except the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DueKey(i64);

/// A key and a zone that are not those of a due date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is not when a todo can be due")]
pub struct RestoreDueError;

impl DueKey {
    /// Between two days: more than the milliseconds of one.
    const DAY: i64 = 100_000_000;

    /// Of a whole day, which is before all times of that day.
    pub fn day(day: Day) -> Self {
        Self(day.number() * Self::DAY)
    }

    fn time(time: DateTime) -> Self {
        let millis = time.time().duration_since(civil::Time::midnight()).as_millis();
        // A day has 86,400,000 milliseconds.
        let millis = i64::try_from(millis).unwrap_or_default();
        let day = Day::of(time.date()).unwrap_or(Day::FIRST);
        Self(day.number() * Self::DAY + 1 + millis)
    }

    /// The number of the day as it is written.
    pub(crate) fn day_number(self) -> i64 {
        self.0.div_euclid(Self::DAY)
    }

    /// As a store keeps it.
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    pub const fn from_i64(number: i64) -> Self {
        Self(number)
    }

    fn read(self) -> Option<(Day, Option<DateTime>)> {
        let day = Day::from_number(self.0.div_euclid(Self::DAY))?;
        let Some(millis) = self.0.rem_euclid(Self::DAY).checked_sub(1).filter(|it| *it >= 0) else {
            return Some((day, None));
        };
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let part = |number: i64| i8::try_from(number).ok();
        let (hour, minute, second) =
            (part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?);
        let nanos = i32::try_from(millis * 1_000_000).ok()?;
        let time = civil::Time::new(hour, minute, second, nanos).ok()?;
        Some((day, Some(day.date().to_datetime(time))))
    }
}

impl LocalTime {
    pub fn day(self) -> Day {
        Day::of(self.0.date()).unwrap_or(Day::FIRST)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, time) = (self.day(), self.0.time());
        write!(formatter, "{day}T{:02}:{:02}", time.hour(), time.minute())?;
        match (time.second(), time.millisecond()) {
            (0, 0) => Ok(()),
            (second, 0) => write!(formatter, ":{second:02}"),
            (second, millis) => write!(formatter, ":{second:02}.{millis:03}"),
        }
    }
}

impl fmt::Debug for LocalTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Due {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => day.fmt(formatter),
            Self::Local(local, _) => local.fmt(formatter),
            Self::At(instant) => instant.fmt(formatter),
        }
    }
}

impl TryFrom<&str> for WrittenDue {
    type Error = DueError;

    fn try_from(text: &str) -> Result<Self, DueError> {
        let (year, rest) = digits(text.as_bytes(), 4).ok_or(DueError::Form)?;
        if rest.first().is_some_and(u8::is_ascii_digit) && rest.contains(&b'-') {
            return Err(DayError::Year.into());
        }
        let (month, rest) =
            after(rest, b"-").and_then(|rest| digits(rest, 2)).ok_or(DueError::Form)?;
        let (day, rest) =
            after(rest, b"-").and_then(|rest| digits(rest, 2)).ok_or(DueError::Form)?;
        if !(rest.is_empty() || matches!(rest, [b'T' | b't', ..])) {
            return Err(DueError::Form);
        }
        let part = |number: i32| i8::try_from(number).unwrap_or(i8::MAX);
        let year = i16::try_from(year).map_err(|_| DayError::Year)?;
        let day = Day::new(year, part(month), part(day))?;
        let Some(rest) = after(rest, b"Tt") else { return Ok(Self::Day(day)) };
        let (time, rest) = time(day, rest)?;
        let local = day.date().to_datetime(time);
        let offset = match rest {
            [] => return Ok(Self::Local(LocalTime(local))),
            [b'Z' | b'z'] => 0,
            rest => offset_seconds(rest)?,
        };
        let offset = jiff::tz::Offset::from_seconds(offset).map_err(|_| DueError::Offset)?;
        let timestamp = offset.to_timestamp(local).map_err(|_| OutOfRange)?;
        let at = Instant::from_unix_millis(timestamp.as_millisecond()).map_err(|_| OutOfRange)?;
        Ok(Self::At(at, day))
    }
}

/// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fff`, and returns the rest.
fn time(day: Day, text: &[u8]) -> Result<(civil::Time, &[u8]), DueError> {
    let (hour, rest) = digits(text, 2).ok_or(DueError::Form)?;
    let (minute, mut rest) =
        after(rest, b":").and_then(|rest| digits(rest, 2)).ok_or(DueError::Form)?;
    let (mut second, mut millis) = (0, 0);
    if let Some(seconds) = after(rest, b":") {
        (second, rest) = digits(seconds, 2).ok_or(DueError::Form)?;
        if let Some(fraction) = after(rest, b".") {
            let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (kept, beyond) = fraction[..length].split_at(length.min(3));
            if length == 0 {
                return Err(DueError::Form);
            }
            if beyond.iter().any(|digit| *digit != b'0') {
                return Err(DueError::TooPrecise);
            }
            let padded = kept.iter().copied().chain([b'0'; 3]).take(3);
            millis = padded.fold(0, |number, digit| number * 10 + i32::from(digit - b'0'));
            rest = &fraction[length..];
        }
    }
    match (hour, minute, second) {
        (24, 0, 0) => return Err(DueError::EndOfDay(day.plus(1))),
        (0..=23, 0..=59, 60) => return Err(DueError::LeapSecond),
        _ => {}
    }
    let part = |number: i32| i8::try_from(number).unwrap_or(i8::MAX);
    let time = civil::Time::new(part(hour), part(minute), part(second), millis * 1_000_000);
    time.map(|time| (time, rest)).map_err(|_| DueError::Time)
}

/// Reads `+HH:MM` or `-HH:MM` to the end.
fn offset_seconds(text: &[u8]) -> Result<i32, DueError> {
    let (sign, text) = match text {
        [b'+', text @ ..] => (1, text),
        [b'-', text @ ..] => (-1, text),
        _ => return Err(DueError::Form),
    };
    let (hours, rest) = digits(text, 2).ok_or(DueError::Offset)?;
    match after(rest, b":").and_then(|rest| digits(rest, 2)) {
        Some((minutes @ 0..=59, [])) => Ok(sign * (hours * 60 + minutes) * 60),
        _ => Err(DueError::Offset),
    }
}

/// Exactly so many digits, and the rest.
fn digits(text: &[u8], count: usize) -> Option<(i32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0'))
    })?;
    Some((number, rest))
}

/// The rest after one of these bytes.
fn after<'a>(text: &'a [u8], bytes: &[u8]) -> Option<&'a [u8]> {
    text.split_first().filter(|(first, _)| bytes.contains(first)).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests;
