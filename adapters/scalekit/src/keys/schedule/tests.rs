use proptest::prelude::*;

use super::Occasion::{Refresh, UnknownKey};
use super::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn waits(schedule: &Schedule, seconds: u64) -> [u64; 2] {
    [UnknownKey, Refresh].map(|occasion| schedule.wait(occasion, at(seconds)).as_secs())
}

#[test]
fn the_first_fetch_is_due_at_once() {
    assert_eq!(waits(&Schedule::default(), 0), [0, 0]);
}

#[test]
fn without_keys_both_kinds_share_the_growing_pause() {
    let mut schedule = Schedule::default();
    for pause in [1, 2, 4, 5, 5] {
        schedule.started(at(100));
        schedule.failed();
        assert_eq!(waits(&schedule, 100), [pause, pause]);
        assert_eq!(waits(&schedule, 100 + pause), [0, 0]);
    }
}

#[test]
fn with_keys_an_unknown_one_is_looked_for_after_3_seconds() {
    let mut schedule = Schedule::default();
    schedule.started(at(0));
    schedule.succeeded();
    assert_eq!(waits(&schedule, 0), [3, 600]);
    assert_eq!(waits(&schedule, 3), [0, 597]);
    schedule.started(at(10));
    schedule.failed();
    assert_eq!(waits(&schedule, 11), [2, 59]);
}

#[test]
fn a_failed_refresh_is_retried_after_a_minute() {
    let mut schedule = Schedule::default();
    schedule.started(at(0));
    schedule.succeeded();
    for _ in 0..3 {
        schedule.started(at(600));
        schedule.failed();
        assert_eq!(waits(&schedule, 603), [0, 57]);
    }
    schedule.succeeded();
    assert_eq!(waits(&schedule, 600), [3, 600]);
}

#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let mut schedule = Schedule::default();
    schedule.started(at(1000));
    schedule.succeeded();
    assert_eq!(waits(&schedule, 999), [0, 0]);
}

/// An issuer, its keys as this server knows them, and callers, in milliseconds.
#[derive(Default)]
struct World {
    schedule: Schedule,
    now: u64,
    /// When the fetch in flight ends, whether it will return keys, and when it started.
    flight: Option<Flight>,
    starts: Vec<u64>,
    /// When the new key was published.
    published_at: Option<u64>,
    is_new_key_known: bool,
}

#[derive(Clone, Copy)]
struct Flight {
    started_at: u64,
    ends_at: u64,
    succeeds: bool,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A caller needs a key, or the set is to be kept up to date. A fetch that this starts takes so long.
    Need {
        occasion_is_unknown_key: bool,
        takes: u64,
        succeeds: bool,
    },
    Pass(u64),
}

impl World {
    /// A server that has its first keys.
    fn with_keys() -> Self {
        let mut world = Self::default();
        world.schedule.succeeded();
        world
    }

    fn instant(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.now)
    }

    fn need(&mut self, occasion: Occasion, takes: u64, succeeds: bool) {
        if self.flight.is_none() && self.schedule.wait(occasion, self.instant()).is_zero() {
            self.schedule.started(self.instant());
            self.starts.push(self.now);
            let ends_at = self.now + takes;
            self.flight = Some(Flight { started_at: self.now, ends_at, succeeds });
        }
        self.land();
    }

    /// Ends the fetch in flight if its time has come. It returns what was published when it started.
    fn land(&mut self) {
        let Some(flight) = self.flight.filter(|flight| flight.ends_at <= self.now) else { return };
        self.flight = None;
        if flight.succeeds {
            self.schedule.succeeded();
            self.is_new_key_known |= self.published_at.is_some_and(|at| at <= flight.started_at);
        } else {
            self.schedule.failed();
        }
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now + millis;
        if let Some(flight) = self.flight.filter(|flight| flight.ends_at <= end) {
            self.now = flight.ends_at;
            self.land();
        }
        self.now = end;
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Need { occasion_is_unknown_key, takes, succeeds } => {
                let occasion = if occasion_is_unknown_key { UnknownKey } else { Refresh };
                self.need(occasion, takes, succeeds);
            }
            Step::Pass(millis) => self.pass(millis),
        }
    }
}

/// The time limit of a fetch is 5 s.
const LONGEST_FETCH: u64 = 5_000;

fn any_step(succeeds: impl Strategy<Value = bool>) -> impl Strategy<Value = Step> {
    let need = (prop::bool::weighted(0.9), 0..=LONGEST_FETCH, succeeds);
    let need = need.prop_map(|(occasion_is_unknown_key, takes, succeeds)| Step::Need {
        occasion_is_unknown_key,
        takes,
        succeeds,
    });
    let pass = prop_oneof![0..100_u64, 2_900..3_100_u64, 0..20_000_u64, 0..700_000_u64];
    prop_oneof![3 => need, 2 => pass.prop_map(Step::Pass)]
}

proptest! {
    #[test]
    fn no_callers_cause_more_than_ten_fetches_in_30_seconds(
        steps in prop::collection::vec(any_step(any::<bool>()), 1..200),
    ) {
        let mut world = World::with_keys();
        for step in steps {
            world.take(step);
        }
        for eleven in world.starts.windows(11) {
            prop_assert!(eleven[10] - eleven[0] >= 30_000, "{eleven:?}");
        }
    }

    /// Whatever strangers did, and go on to do, a caller that tries again and again is served within 3 s
    /// and a fetch: the one in flight when the key was published does not have it.
    #[test]
    fn a_new_key_is_known_3_seconds_and_a_fetch_after_it_is_needed(
        before in prop::collection::vec(any_step(any::<bool>()), 0..50),
        own_fetch in 0..=LONGEST_FETCH,
    ) {
        let mut world = World::with_keys();
        for step in before {
            world.take(step);
        }
        world.published_at = Some(world.now);
        let in_flight = world.flight.map_or(0, |flight| flight.ends_at - world.now);
        let deadline = world.now + in_flight.max(3_000) + own_fetch;
        while !world.is_new_key_known {
            prop_assert!(world.now <= deadline, "{} ms late", world.now - deadline);
            // The stranger is always first.
            world.need(UnknownKey, own_fetch, true);
            world.need(UnknownKey, own_fetch, true);
            world.pass(1);
        }
    }
}
