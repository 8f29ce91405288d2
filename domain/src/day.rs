//! Days of the calendar and of the week.

use std::fmt;

use jiff::civil::{self, Date};
use thiserror::Error;

/// A day of the Gregorian calendar in the years 1970 to 9999, wherever that is: it has no zone, and never
/// becomes an instant. `Display` writes `2026-12-24`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

/// Why year, month and day are no [`Day`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DayError {
    #[error("the year must be from 1970 to 9999")]
    Year,
    #[error("{year:04}-{month:02} does not exist; months go from 01 to 12")]
    Month { year: i16, month: i8 },
    #[error(
        "{year:04}-{month:02}-{day:02} does not exist; {} {year} has {days} days", month_name(*month)
    )]
    Day { year: i16, month: i8, day: i8, days: i8 },
}

impl Day {
    pub(crate) const FIRST: Self = Self(civil::date(1970, 1, 1));
    pub(crate) const LAST: Self = Self(civil::date(9999, 12, 31));

    pub fn new(year: i16, month: i8, day: i8) -> Result<Self, DayError> {
        if !(1970..=9999).contains(&year) {
            return Err(DayError::Year);
        }
        let first = Date::new(year, month, 1).map_err(|_| DayError::Month { year, month })?;
        let days = first.days_in_month();
        Date::new(year, month, day).map(Self).map_err(|_| DayError::Day { year, month, day, days })
    }

    /// `None` outside of the years 1970 to 9999.
    pub(crate) fn of(date: Date) -> Option<Self> {
        (date.year() >= 1970).then_some(Self(date))
    }

    pub(crate) fn date(self) -> Date {
        self.0
    }

    /// Days since 1970-01-01.
    pub(crate) fn number(self) -> i64 {
        self.0.duration_since(Self::FIRST.0).as_hours() / 24
    }

    /// The day that is so many days after 1970-01-01.
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        let days = jiff::Span::new().try_days(number).ok()?;
        Self::FIRST.0.checked_add(days).ok().and_then(Self::of)
    }

    /// The day so many days later, or earlier if they are negative; at the ends of the calendar, its last
    /// or first day.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        let end = if days < 0 { Self::FIRST } else { Self::LAST };
        Self::from_number(self.number() + i64::from(days)).unwrap_or(end)
    }

    pub fn weekday(self) -> Weekday {
        match self.0.weekday() {
            civil::Weekday::Monday => Weekday::Monday,
            civil::Weekday::Tuesday => Weekday::Tuesday,
            civil::Weekday::Wednesday => Weekday::Wednesday,
            civil::Weekday::Thursday => Weekday::Thursday,
            civil::Weekday::Friday => Weekday::Friday,
            civil::Weekday::Saturday => Weekday::Saturday,
            civil::Weekday::Sunday => Weekday::Sunday,
        }
    }

    /// Fails if the day is not that day of the week.
    pub fn check_weekday(self, expected: Weekday) -> Result<(), OtherWeekday> {
        if self.weekday() == expected { Ok(()) } else { Err(OtherWeekday { day: self, expected }) }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a day of the week in English, such as Friday")]
pub struct WeekdayError;

/// A day is not the day of the week that it was said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{day} is a {}, and the {expected} after it is {}", day.weekday(), next(*day, *expected))]
pub struct OtherWeekday {
    pub day: Day,
    pub expected: Weekday,
}

impl Weekday {
    const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// In English.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The English name, in upper or lower case.
impl TryFrom<&str> for Weekday {
    type Error = WeekdayError;

    fn try_from(text: &str) -> Result<Self, WeekdayError> {
        let named = |weekday: &Self| weekday.name().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(named).ok_or(WeekdayError)
    }
}

/// The first day after `day` that is that day of the week.
fn next(day: Day, weekday: Weekday) -> Day {
    let later = (1..=7).map(|days| day.plus(days));
    later.into_iter().find(|later| later.weekday() == weekday).unwrap_or(day)
}

fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    usize::try_from(month - 1).ok().and_then(|index| NAMES.get(index)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_that_does_not_exist_is_explained() {
        for (year, month, day, expected) in [
            (2026, 2, 29, "2026-02-29 does not exist; February 2026 has 28 days"),
            (2100, 2, 29, "2100-02-29 does not exist; February 2100 has 28 days"),
            (2026, 4, 31, "2026-04-31 does not exist; April 2026 has 30 days"),
            (2026, 12, 0, "2026-12-00 does not exist; December 2026 has 31 days"),
            (2026, 13, 1, "2026-13 does not exist; months go from 01 to 12"),
            (2026, 0, 1, "2026-00 does not exist; months go from 01 to 12"),
            (0, 1, 1, "the year must be from 1970 to 9999"),
            (1969, 12, 31, "the year must be from 1970 to 9999"),
        ] {
            assert_eq!(Day::new(year, month, day).unwrap_err().to_string(), expected);
        }
        assert_eq!(Day::new(2028, 2, 29).unwrap().to_string(), "2028-02-29");
    }

    #[test]
    fn another_day_of_the_week_is_explained_with_the_right_values() {
        let christmas_eve = Day::new(2026, 12, 24).unwrap();
        assert_eq!(christmas_eve.check_weekday(Weekday::Thursday), Ok(()));
        let error = christmas_eve.check_weekday("friday".try_into().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2026-12-24 is a Thursday, and the Friday after it is 2026-12-25"
        );
        assert_eq!(Weekday::try_from("Freitag"), Err(WeekdayError));
    }

    #[test]
    fn days_stop_at_the_ends_of_the_calendar() {
        let (first, last) = (Day::FIRST, Day::LAST);
        assert_eq!((first.plus(-1), last.plus(7)), (first, last));
        assert_eq!(Day::from_number(last.number()), Some(last));
        assert_eq!(Day::from_number(last.number() + 1), None);
        assert_eq!(Day::from_number(-1), None);
    }

    proptest! {
        #[test]
        fn a_day_is_the_same_after_its_number(number in 0_i64..2_932_897) {
            let day = Day::from_number(number).unwrap();
            prop_assert_eq!(day.number(), number);
            prop_assert_eq!(Day::new(day.0.year(), day.0.month(), day.0.day()), Ok(day));
            prop_assert_eq!(day.to_string(), day.0.to_string());
        }

        /// By the congruence of Zeller.
        #[test]
        fn days_of_the_week_are_those_of_the_congruence(number in 0_i64..2_932_897) {
            let day = Day::from_number(number).unwrap();
            let (year, month) = (i32::from(day.0.year()), i32::from(day.0.month()));
            let (year, month) = if month < 3 { (year - 1, month + 12) } else { (year, month) };
            let from_saturday = (i32::from(day.0.day()) + 13 * (month + 1) / 5 + year + year / 4
                - year / 100 + year / 400).rem_euclid(7);
            let expected = Weekday::ALL[usize::try_from((from_saturday + 5) % 7).unwrap()];
            prop_assert_eq!(day.weekday(), expected);
        }
    }
}
