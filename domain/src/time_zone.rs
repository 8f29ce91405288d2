//! Time zones by their IANA names.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

use jiff::civil::{DateTime, Time};
use jiff::tz::{self, TimeZoneDatabase};
use thiserror::Error;

use crate::day::Day;
use crate::instant::Instant;

/// The rules of all zones, compiled in, so that every machine answers alike.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The longest text that is looked up. The longest name has 32 bytes.
const MAX_BYTES: usize = 64;

/// A zone of the IANA time zone database, by its name: `Europe/Berlin`. Cheap to clone.
///
/// Zones are equal if their names are, whatever their rules. Abbreviations (`CET`, `EST`) are none,
/// although the database has some of them for old programs: one does not say when clocks change, and several
/// places use it with another meaning. `UTC` is the one name without a slash.
#[derive(Clone)]
pub struct TimeZone(tz::TimeZone);

/// The text, cut if it is long.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown time zone `{0}`; use an IANA name such as Europe/Berlin")]
pub struct UnknownTimeZone(String);

impl TimeZone {
    /// The name as the database writes it.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or_default()
    }

    /// The day in this zone. Where it is 1969 still, the first day of 1970.
    pub(crate) fn day(&self, instant: Instant) -> Day {
        Day::of(self.0.to_datetime(instant.timestamp()).date()).unwrap_or(Day::FIRST)
    }

    /// When a day begins: at midnight, or the first time after it that a clock in this zone shows. `None` as of
    /// [`TimeZone::instant`].
    pub(crate) fn start_of(&self, day: Day) -> Option<Instant> {
        self.instant(day.date().to_datetime(Time::midnight()))
    }

    /// The instant at which a clock in this zone shows a time. Around a change of clocks as RFC 5545
    /// section 3.3.5 and "compatible" of Temporal: a time that occurs twice is the first of both, and one
    /// that is skipped is read with the offset before the change.
    ///
    /// `None` if it is before [`Instant::UNIX_EPOCH`] or after [`Instant::MAX`].
    pub(crate) fn instant(&self, local: DateTime) -> Option<Instant> {
        let timestamp = self.0.to_ambiguous_timestamp(local).compatible().ok()?;
        Instant::from_unix_millis(timestamp.as_millisecond()).ok()
    }
}

/// A name in upper or lower case.
impl TryFrom<&str> for TimeZone {
    type Error = UnknownTimeZone;

    fn try_from(name: &str) -> Result<Self, UnknownTimeZone> {
        let is_name = name.len() <= MAX_BYTES && (name.contains('/') || is_utc(name));
        let zone = is_name.then(|| DATABASE.get(name).ok()).flatten();
        // `Etc/Unknown` is known to be unknown.
        let zone = zone.filter(|zone| zone.iana_name().is_some() && !zone.is_unknown());
        zone.map(Self).ok_or_else(|| {
            let shown = name.chars().filter(|c| !c.is_control()).take(MAX_BYTES);
            UnknownTimeZone(shown.collect())
        })
    }
}

fn is_utc(name: &str) -> bool {
    name.eq_ignore_ascii_case("UTC")
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for TimeZone {}

impl Hash for TimeZone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_the_name_of_the_database() {
        for (text, expected) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("AMERICA/argentina/ComodRivadavia", "America/Argentina/ComodRivadavia"),
            ("Asia/Calcutta", "Asia/Calcutta"),
            ("Etc/GMT+12", "Etc/GMT+12"),
            ("utc", "UTC"),
        ] {
            assert_eq!(TimeZone::try_from(text).unwrap().name(), expected);
        }
    }

    /// The rules compiled in against those of another implementation.
    #[test]
    fn clocks_change_when_those_of_glibc_do() {
        let table = include_str!("time_zone/transitions.txt");
        let mut changes = 0;
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = line.split(' ');
            let zone = TimeZone::try_from(fields.next().unwrap()).unwrap();
            let at: jiff::Timestamp = fields.next().unwrap().parse().unwrap();
            let [before, after] = [(); 2].map(|()| fields.next().unwrap().parse::<i64>().unwrap());
            let at = at.as_millisecond();
            let in_zone = |millis, offset: i64| {
                let local = Instant::from_unix_millis(millis + offset * 1000).unwrap().in_utc();
                let instant = zone.instant(local).unwrap();
                assert_eq!(zone.0.to_datetime(instant.timestamp()), local, "{line}");
                instant.as_unix_millis()
            };
            // Far enough from the change that the local time is neither skipped nor repeated.
            let apart = (after - before).abs() * 1000;
            assert_eq!(in_zone(at - apart - 1, before), at - apart - 1, "{line}");
            assert_eq!(in_zone(at + apart, after), at + apart, "{line}");
            let local =
                |millis| zone.0.to_datetime(Instant::from_unix_millis(millis).unwrap().timestamp());
            let shown = |millis: i64, offset: i64| {
                Instant::from_unix_millis(millis + offset * 1000).unwrap().in_utc()
            };
            assert_eq!(local(at - 1), shown(at - 1, before), "{line}");
            assert_eq!(local(at), shown(at, after), "{line}");
            // The middle of the change: skipped times are read with the offset before, repeated ones are
            // the first.
            let middle = shown(at, before.midpoint(after));
            let expected = at + (before.midpoint(after) - before) * 1000;
            assert_eq!(zone.instant(middle).unwrap().as_unix_millis(), expected, "{line}");
            changes += 1;
        }
        assert!(changes > 300);
    }

    #[test]
    fn every_name_with_a_slash_is_a_zone() {
        let names: Vec<String> = DATABASE.available().map(|name| name.to_string()).collect();
        assert!(names.len() > 500);
        for name in names.iter().filter(|name| name.contains('/')) {
            assert_eq!(TimeZone::try_from(name.as_str()).unwrap().name(), name);
            assert!(name.len() <= MAX_BYTES / 2);
        }
    }

    #[test]
    fn abbreviations_offsets_and_other_texts_are_no_zones() {
        for text in [
            "",
            "CET",
            "EST",
            "PST",
            "EST5EDT",
            "GMT",
            "CET+1",
            "+01:00",
            "UTC+2",
            "Berlin",
            "Etc/Unknown",
            "Europe/",
            "Europe/Berlin ",
            "../etc/passwd",
            "/etc/localtime",
            "Europe/Atlantis",
            "local",
            "posix/Europe/Berlin",
        ] {
            let error = TimeZone::try_from(text).unwrap_err();
            let sentence =
                format!("unknown time zone `{text}`; use an IANA name such as Europe/Berlin");
            assert_eq!(error.to_string(), sentence);
        }
        let long = TimeZone::try_from("/".repeat(5_000).as_str()).unwrap_err();
        assert!(long.to_string().len() < 150);
        assert_eq!(TimeZone::try_from("a/\n"), Err(UnknownTimeZone("a/".to_owned())));
    }
}
