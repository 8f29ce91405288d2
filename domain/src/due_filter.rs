//! Lists by when todos are due.

use jiff::tz::Offset;
use thiserror::Error;

use crate::day::Day;
use crate::due::{Due, DueKey};
use crate::instant::Instant;
use crate::now::Now;
use crate::time_zone::TimeZone;

/// Which todos a list contains, by when they are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DueFilter {
    /// The day has passed, or the time has.
    Overdue,
    /// Overdue, or due today.
    Today,
    /// Overdue, or due today or within the seven days after it.
    Week,
    /// Due at any time.
    Any,
    /// Not due at any time.
    None,
}

/// A [`DueFilter`] at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueCondition {
    Overdue(Now),
    /// On this day in this zone, or before.
    By(Day, TimeZone),
    Any,
    None,
}

impl DueFilter {
    /// `None` if the filter needs to know the present in a time zone, and it is not known.
    pub fn at(self, now: Option<&Now>) -> Option<DueCondition> {
        Some(match self {
            Self::Overdue => DueCondition::Overdue(now?.clone()),
            Self::Today => DueCondition::By(now?.today(), now?.time_zone().clone()),
            Self::Week => DueCondition::By(now?.today().plus(7), now?.time_zone().clone()),
            Self::Any => DueCondition::Any,
            Self::None => DueCondition::None,
        })
    }

    /// Whether it asks for what is still to be done.
    pub fn is_about_open_todos(self) -> bool {
        matches!(self, Self::Overdue | Self::Today | Self::Week)
    }
}

impl DueCondition {
    pub fn is_met(&self, due: Option<&Due>) -> bool {
        match (self, due) {
            (Self::None, due) => due.is_none(),
            (Self::Any, due) => due.is_some(),
            (Self::Overdue(_) | Self::By(..), None) => false,
            (Self::Overdue(now), Some(Due::Day(day))) => *day < now.today(),
            (Self::Overdue(now), Some(due)) => due.at().is_some_and(|at| at < now.at()),
            (Self::By(day, zone), Some(due)) => due.day_in(zone) <= *day,
        }
    }

    /// The first key from which on nothing meets it. `None` for [`DueCondition::Any`] and
    /// [`DueCondition::None`].
    pub fn end(&self) -> Option<DueKey> {
        self.first_days_after().map(|(_, time)| DueKey::day(time))
    }

    /// The first day from which on no day meets it, and the first from which on no time does, by the day as it is
    /// written.
    pub(crate) fn first_days_after(&self) -> Option<(Day, Day)> {
        match self {
            Self::Overdue(now) => Some((now.today(), last_day_shown_at(now.at()).plus(1))),
            Self::By(day, zone) => {
                let next = day.plus(1);
                // Where it has no end, everything may meet it.
                let last = zone.start_of(next).map_or(Day::LAST, last_day_shown_at);
                Some((next, last.plus(1)))
            }
            Self::Any | Self::None => None,
        }
    }
}

/// The day that a clock shows which is ahead of all others.
fn last_day_shown_at(at: Instant) -> Day {
    // Since 1970 by 14 hours at most; two more, as a clock that is set back shows a day again.
    const FARTHEST_AHEAD: Offset = Offset::constant(16);
    Day::of(FARTHEST_AHEAD.to_datetime(at.timestamp()).date()).unwrap_or(Day::LAST)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of overdue, today, week, any, none")]
pub struct UnknownDueFilter;

impl TryFrom<&str> for DueFilter {
    type Error = UnknownDueFilter;

    fn try_from(text: &str) -> Result<Self, UnknownDueFilter> {
        Ok(match text {
            "overdue" => Self::Overdue,
            "today" => Self::Today,
            "week" => Self::Week,
            "any" => Self::Any,
            "none" => Self::None,
            _ => return Err(UnknownDueFilter),
        })
    }
}
