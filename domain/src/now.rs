use crate::day::{Day, Weekday};
use crate::instant::Instant;
use crate::time_zone::TimeZone;

/// The present, as a clock and a calendar in a time zone show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    at: Instant,
    zone: TimeZone,
    today: Day,
}

impl Now {
    pub fn new(at: Instant, zone: TimeZone) -> Self {
        let today = zone.day(at);
        Self { at, zone, today }
    }

    pub fn at(&self) -> Instant {
        self.at
    }

    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    pub fn today(&self) -> Day {
        self.today
    }

    /// When the day began: midnight, or the first time after it that a clock in the zone shows.
    pub fn midnight(&self) -> Instant {
        self.zone.start_of(self.today).unwrap_or(Instant::UNIX_EPOCH)
    }

    pub fn weekday(&self) -> Weekday {
        self.today.weekday()
    }
}
