//! What is read as a due date, and where it is in the order and in each zone.

use proptest::prelude::*;

use super::*;
use crate::{DueCondition, DueFilter, Now};

fn written(text: &str) -> WrittenDue {
    WrittenDue::try_from(text).unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::try_from(name).unwrap()
}

fn requested(text: &str, time_zone: Option<&str>) -> RequestedDue {
    RequestedDue { written: written(text), time_zone: time_zone.map(zone), weekday: None }
}

fn due(text: &str, name: &str) -> Due {
    requested(text, None).resolve(|| Some(zone(name))).unwrap()
}

fn instant(text: &str) -> Instant {
    let timestamp: jiff::Timestamp = text.parse().unwrap();
    Instant::from_unix_millis(timestamp.as_millisecond()).unwrap()
}

#[test]
fn a_due_date_is_shown_as_it_was_written() {
    for (text, shown) in [
        ("2026-12-24", "2026-12-24"),
        ("1970-01-01", "1970-01-01"),
        ("9999-12-31", "9999-12-31"),
        ("2026-12-24T17:30", "2026-12-24T17:30"),
        ("2026-12-24t17:30:00", "2026-12-24T17:30"),
        ("2026-12-24T17:30:15", "2026-12-24T17:30:15"),
        ("2026-12-24T17:30:15.12000", "2026-12-24T17:30:15.120"),
        ("2026-12-24T00:00", "2026-12-24T00:00"),
        ("2026-12-24T16:30:00Z", "2026-12-24T16:30:00.000Z"),
        ("2026-12-24T17:30+01:00", "2026-12-24T16:30:00.000Z"),
        ("2026-12-24T00:30:00.5+05:45", "2026-12-23T18:45:00.500Z"),
        ("1970-01-01T00:00z", "1970-01-01T00:00:00.000Z"),
    ] {
        let due = due(text, "Asia/Kolkata");
        assert_eq!(due.to_string(), shown, "{text}");
        let again = Due::restore(DueKey::from_i64(due.key().as_i64()), due.time_zone().cloned());
        assert_eq!(again, Ok(due), "{text}");
    }
}

#[test]
fn the_day_of_an_instant_is_the_one_that_was_written() {
    assert_eq!(written("2026-12-24T00:30+05:45").day().to_string(), "2026-12-24");
    assert_eq!(written("2026-12-24T23:30").day().to_string(), "2026-12-24");
}

#[test]
fn what_is_not_a_due_date_is_explained() {
    const FORM: &str = "must be a day such as 2026-12-24, a local time such as 2026-12-24T17:30, or an \
                        instant such as 2026-12-24T16:30:00Z";
    const TIME: &str = "has hours from 00 to 23 and minutes and seconds from 00 to 59";
    const OFFSET: &str = "has an offset from UTC between -25:59 and +25:59, such as +01:00";
    const RANGE: &str =
        "is a time before 1970 or after 9999-12-30, which cannot be kept; a day can";
    const LEAP: &str = "has seconds from 00 to 59; a leap second cannot be kept, so write 59";
    for (text, expected) in [
        ("", FORM),
        ("12/24/2026", FORM),
        ("24.12.2026", FORM),
        ("tomorrow", FORM),
        ("next Friday at five", FORM),
        ("2026-W52-4", FORM),
        ("2026-358", FORM),
        ("20261224", FORM),
        ("2026-12", FORM),
        ("2026-1-2", FORM),
        ("2026-12-24 17:30", FORM),
        ("2026-12-24T", FORM),
        ("2026-12-24T17", FORM),
        ("2026-12-24T1730", FORM),
        ("2026-12-24T5:30 pm", FORM),
        ("2026-12-24T17:30:15.", FORM),
        ("2026-12-24T17:30:15,5", FORM),
        ("2026-12-24T17:30[Europe/Berlin]", FORM),
        ("2026-12-24Z", FORM),
        (" 2026-12-24", FORM),
        ("２０２６-12-24", FORM),
        ("-2026-12-24", FORM),
        ("24:00", FORM),
        ("1798761600", FORM),
        ("2026-13-01", "2026-13 does not exist; months go from 01 to 12"),
        ("2026-02-29", "2026-02-29 does not exist; February 2026 has 28 days"),
        ("2026-02-29T17:30Z", "2026-02-29 does not exist; February 2026 has 28 days"),
        ("10000-01-01", "the year must be from 1970 to 9999"),
        ("0000-01-01", "the year must be from 1970 to 9999"),
        ("1969-12-31", "the year must be from 1970 to 9999"),
        ("2026-12-31T24:00", "has hours from 00 to 23; the end of that day is 2027-01-01T00:00"),
        ("2026-12-31T24:30", TIME),
        ("2026-12-31T25:00", TIME),
        ("2026-12-31T17:60", TIME),
        ("2026-12-31T17:30:61", TIME),
        ("2026-12-31T23:59:60Z", LEAP),
        ("2026-12-31T23:59:60", LEAP),
        ("2026-12-31T17:30:15.1234", "has at most three digits after the seconds"),
        ("2026-12-31T17:30+1", OFFSET),
        ("2026-12-31T17:30+0100", OFFSET),
        ("2026-12-31T17:30+01:60", OFFSET),
        ("2026-12-31T17:30+26:00", OFFSET),
        ("1970-01-01T00:30+01:00", RANGE),
        ("9999-12-31T00:30Z", RANGE),
    ] {
        assert_eq!(WrittenDue::try_from(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn a_local_time_takes_the_zone_that_was_asked_for_else_that_of_the_caller() {
    const LOCAL: &str = "2026-12-24T17:30";
    let berlin = || Some(zone("Europe/Berlin"));
    let at = |asked: Option<&str>, own: &dyn Fn() -> Option<TimeZone>| {
        requested(LOCAL, asked).resolve(own).map(|due| due.at().unwrap().to_string())
    };
    assert_eq!(at(None, &berlin).unwrap(), "2026-12-24T16:30:00.000Z");
    assert_eq!(at(Some("Asia/Tokyo"), &berlin).unwrap(), "2026-12-24T08:30:00.000Z");
    let error = at(None, &|| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2026-12-24T17:30 is a local time, and the time zone of the user is not known: pass `time_zone` \
         too"
    );
    let day = requested("2026-12-24", None).resolve(|| None);
    assert_eq!(day.map(|due| due.at()), Ok(None));
    let with_both = requested("2026-12-24T17:30Z", Some("Europe/Berlin")).resolve(|| None);
    assert_eq!(with_both, Err(UnresolvedDue::InstantWithTimeZone));
    let at_the_end = requested("9999-12-31T12:00", None).resolve(berlin);
    assert_eq!(at_the_end, Err(UnresolvedDue::OutOfRange(OutOfRange)));
}

#[test]
fn a_day_of_the_week_that_was_passed_too_must_be_that_of_the_day() {
    for text in ["2026-12-24", "2026-12-24T23:30", "2026-12-24T23:30-12:00"] {
        let on = |weekday| {
            let due = RequestedDue { weekday: Some(weekday), ..requested(text, None) };
            due.resolve(|| Some(zone("Pacific/Kiritimati")))
        };
        assert!(on(Weekday::Thursday).is_ok());
        let error = on(Weekday::Wednesday).unwrap_err();
        assert_eq!(
            error.to_string(),
            "2026-12-24 is a Thursday, and the Wednesday after it is 2026-12-30"
        );
    }
}

#[test]
fn a_time_around_a_change_of_clocks_is_read_as_calendars_do() {
    for (text, name, expected) in [
        // Skipped: as if clocks had not changed yet.
        ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00Z"),
        ("2026-03-08T02:00", "America/New_York", "2026-03-08T07:00:00Z"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-03T15:45:00Z"),
        // Twice: the first.
        ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
        ("2026-11-01T01:59:59", "America/New_York", "2026-11-01T05:59:59Z"),
        // A whole day was skipped.
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T22:00:00Z"),
        ("2011-12-29T23:59", "Pacific/Apia", "2011-12-30T09:59:00Z"),
        ("2011-12-31T00:00", "Pacific/Apia", "2011-12-30T10:00:00Z"),
        // No change.
        ("2026-12-24T17:30", "Asia/Kolkata", "2026-12-24T12:00:00Z"),
        ("2026-12-24T17:30", "Pacific/Kiritimati", "2026-12-24T03:30:00Z"),
        ("2026-12-24T17:30", "Etc/GMT+12", "2026-12-25T05:30:00Z"),
        ("2060-07-01T12:00", "Europe/Berlin", "2060-07-01T10:00:00Z"),
    ] {
        let due = due(text, name);
        assert_eq!(due.at(), Some(instant(expected)), "{text} {name}");
        assert_eq!(due.to_string(), text);
    }
}

#[test]
fn due_dates_are_in_the_order_of_the_days_as_written_all_day_first() {
    let in_order = [
        due("2026-12-23T23:59:59.999", "Pacific/Kiritimati"),
        due("2026-12-24", "UTC"),
        due("2026-12-24T00:00", "Etc/GMT+12"),
        due("2026-12-24T00:00:00.001Z", "UTC"),
        due("2026-12-24T09:00", "Pacific/Kiritimati"),
        due("2026-12-24T17:30", "Europe/Berlin"),
        due("2026-12-25", "UTC"),
    ];
    assert!(in_order.is_sorted_by(|one, other| one.key() < other.key()));
}

/// "Now" in six zones, on both sides of midnight, and a day that was skipped.
#[test]
fn today_is_that_of_the_zone() {
    for (now, name, today, weekday) in [
        ("2026-12-24T09:59:59.999Z", "Pacific/Kiritimati", "2026-12-24", "Thursday"),
        ("2026-12-24T10:00:00Z", "Pacific/Kiritimati", "2026-12-25", "Friday"),
        ("2026-12-24T11:59:59.999Z", "Etc/GMT+12", "2026-12-23", "Wednesday"),
        ("2026-12-24T12:00:00Z", "Etc/GMT+12", "2026-12-24", "Thursday"),
        ("2026-12-24T18:29:59Z", "Asia/Kolkata", "2026-12-24", "Thursday"),
        ("2026-12-24T18:30:00Z", "Asia/Kolkata", "2026-12-25", "Friday"),
        ("2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-29", "Thursday"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31", "Saturday"),
        ("2026-12-24T22:59:59Z", "Europe/Berlin", "2026-12-24", "Thursday"),
        ("2026-12-24T23:00:00Z", "Europe/Berlin", "2026-12-25", "Friday"),
        ("2026-12-24T23:59:59Z", "UTC", "2026-12-24", "Thursday"),
        ("1970-01-01T00:00:00Z", "America/New_York", "1970-01-01", "Thursday"),
    ] {
        let now = Now::new(instant(now), zone(name));
        assert_eq!(now.today().to_string(), today, "{now:?}");
        assert_eq!(now.weekday().name(), weekday, "{now:?}");
    }
}

/// Which filters a due date passes, at an instant in six zones: overdue, today, week.
#[test]
fn what_is_overdue_due_today_and_within_a_week_depends_on_the_zone() {
    const KIRITIMATI: &str = "Pacific/Kiritimati";
    const WEST: &str = "Etc/GMT+12";
    for (now, name, text, expected) in [
        // Midnight there, of the 25th.
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2026-12-24", "o t w"),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2026-12-25", "  t w"),
        ("2026-12-24T09:59:59Z", KIRITIMATI, "2026-12-24", "  t w"),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2027-01-01", "    w"),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2027-01-02", "     "),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2026-12-24T10:00:00Z", "  t w"),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2026-12-24T09:59:59Z", "o t w"),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2026-12-25T09:59:59Z", "  t w"),
        ("2026-12-24T10:00:00Z", KIRITIMATI, "2026-12-25T10:00:00Z", "    w"),
        ("2026-12-24T11:59:59Z", WEST, "2026-12-23", "  t w"),
        ("2026-12-24T12:00:00Z", WEST, "2026-12-23", "o t w"),
        ("2026-12-24T12:00:00Z", WEST, "2026-12-25T11:59:59Z", "  t w"),
        ("2026-12-24T12:00:00Z", WEST, "2026-12-25T12:00:00Z", "    w"),
        ("2026-12-24T18:29:59Z", "Asia/Kolkata", "2026-12-24", "  t w"),
        ("2026-12-24T18:30:00Z", "Asia/Kolkata", "2026-12-24", "o t w"),
        // The 30th was skipped.
        ("2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-30", "    w"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-30", "o t w"),
        ("2026-12-24T22:59:59Z", "Europe/Berlin", "2026-12-25", "    w"),
        ("2026-12-24T23:00:00Z", "Europe/Berlin", "2026-12-25", "  t w"),
        ("2026-12-24T23:00:00Z", "UTC", "2026-12-25", "    w"),
    ] {
        let now = Now::new(instant(now), zone(name));
        let due = due(text, name);
        let letter = |filter: DueFilter, letter| {
            let condition = filter.at(Some(&now)).unwrap();
            let is_met = condition.is_met(Some(&due));
            assert!(!is_met || due.key() < condition.end().unwrap());
            if is_met { letter } else { " " }
        };
        let found = [
            letter(DueFilter::Overdue, "o"),
            letter(DueFilter::Today, "t"),
            letter(DueFilter::Week, "w"),
        ];
        assert_eq!(found.join(" "), expected, "{text} {now:?}");
        assert!(DueCondition::Any.is_met(Some(&due)) && !DueCondition::None.is_met(Some(&due)));
    }
    assert_eq!(DueFilter::Week.at(None), None);
    assert!(!DueCondition::Any.is_met(None) && DueCondition::None.is_met(None));
}

fn any_due() -> impl Strategy<Value = Due> {
    let zones = prop::sample::select(vec![
        "Pacific/Kiritimati",
        "Etc/GMT+12",
        "Asia/Kolkata",
        "Pacific/Apia",
        "Europe/Berlin",
        "UTC",
        "America/St_Johns",
    ]);
    let day = (0_i64..2_932_000).prop_map(|number| Day::from_number(number).unwrap());
    let time = (1_i64..2_932_000, 0_i64..86_400_000).prop_map(|(day, millis)| {
        let at = Instant::from_unix_millis(day * 86_400_000 + millis).unwrap();
        (LocalTime(at.in_utc()), at)
    });
    (0..3, day, time, zones).prop_map(|(kind, day, (local, at), name)| match kind {
        0 => Due::Day(day),
        1 => Due::local(local, zone(name)).unwrap(),
        _ => Due::At(at),
    })
}

proptest! {
    #[test]
    fn a_due_date_is_the_same_after_it_was_stored_and_after_it_was_shown(due in any_due()) {
        let key = DueKey::from_i64(due.key().as_i64());
        prop_assert_eq!(&Due::restore(key, due.time_zone().cloned()).unwrap(), &due);
        let again = requested(&due.to_string(), None).resolve(|| due.time_zone().cloned());
        prop_assert_eq!(again.unwrap(), due);
    }

    #[test]
    fn the_order_is_by_day_then_all_day_then_time(one in any_due(), other in any_due()) {
        let of = |due: &Due| match due {
            Due::Day(day) => (*day, None),
            Due::Local(local, _) => (local.day(), Some(local.0)),
            Due::At(at) => (LocalTime(at.in_utc()).day(), Some(at.in_utc())),
        };
        prop_assert_eq!(one.key().cmp(&other.key()), of(&one).cmp(&of(&other)));
    }

    #[test]
    fn a_day_is_the_same_in_every_zone_and_a_time_at_most_two_days_from_the_one_written(
        due in any_due(),
    ) {
        for name in ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"] {
            let there = due.day_in(&zone(name)).number();
            let as_written = due.key().as_i64().div_euclid(DueKey::DAY);
            match due {
                Due::Day(_) => prop_assert_eq!(there, as_written),
                Due::Local(..) | Due::At(_) => prop_assert!((there - as_written).abs() <= 2),
            }
        }
    }

    #[test]
    fn nothing_meets_a_condition_from_its_end_on(
        due in any_due(), now in 0_i64..253_000_000_000_000, zone_name in prop::sample::select(vec![
            "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata",
        ]),
    ) {
        let now = Now::new(Instant::from_unix_millis(now).unwrap(), zone(zone_name));
        for filter in [DueFilter::Overdue, DueFilter::Today, DueFilter::Week] {
            let condition = filter.at(Some(&now)).unwrap();
            if condition.is_met(Some(&due)) {
                prop_assert!(due.key() < condition.end().unwrap());
            }
        }
    }

    #[test]
    fn what_is_written_with_a_later_day_elsewhere_is_before_the_end(
        now in 1_000_000_000_000_i64..4_000_000_000_000, apart in -300_000_000_i64..900_000_000,
        (ahead, there) in prop::sample::select(vec![
            (14, "Etc/GMT-14"), (-12, "Etc/GMT+12"), (0, "UTC"),
        ]),
        here in prop::sample::select(vec!["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "UTC"]),
    ) {
        let instant = |millis| Instant::from_unix_millis(millis).unwrap();
        let shown = instant(now + apart + ahead * 3_600_000).in_utc();
        let due = Due::local(LocalTime(shown), zone(there)).unwrap();
        let now = Now::new(instant(now), zone(here));
        for filter in [DueFilter::Overdue, DueFilter::Today, DueFilter::Week] {
            let condition = filter.at(Some(&now)).unwrap();
            if condition.is_met(Some(&due)) {
                prop_assert!(due.key() < condition.end().unwrap());
            }
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = WrittenDue::try_from(text.as_str());
    }

    #[test]
    fn no_text_like_a_date_panics(text in "[0-9]{4,5}-[0-9]{2}-[0-9]{2}T[0-9:.]{0,12}[Z+-]?[0-9:]{0,6}") {
        let _ = WrittenDue::try_from(text.as_str());
    }
}
