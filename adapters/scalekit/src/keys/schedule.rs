//! When keys may be fetched. All of that policy is here, and every time in it is the `Clock` port's.
//!
//! | keys | for a request that needs one | of our own accord |
//! |---|---|---|
//! | none ever had | 1, 2, 4, then every 5 s after the last fetch of either kind | the same |
//! | known | 30 s after the last fetch for a request | 10 min after the last fetch of either kind; 1 min if that one failed |
//!
//! While there are keys the two columns do not hold each other up. Key ids are the caller's choice:
//! whoever makes them up causes one fetch in 30 s, all callers together, and nothing that callers do
//! causes more. A fetch of our own accord leaves their slot free, so that a key published right
//! after it is found by the first request that names it. Together that is at most 2.1 fetches in a
//! minute, well below any limit of Scalekit's, and 3 in an outage.

use std::time::Duration;

use todo_application::domain::Instant;

use crate::clock;

/// Between the starts of two fetches for requests once keys are known.
pub(super) const PAUSE: Duration = Duration::from_secs(30);
/// Between the starts of two fetches while none is known, after the first failure, the second, and
/// so on; the last one stays. With the fetch's own limit of 5 s it keeps recovery under 10 s.
const PAUSES_WITHOUT_KEYS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];
/// How old a set becomes before it is fetched again of our own accord. A key that was withdrawn
/// serves that much longer at most; Scalekit is asked six times an hour, which is nothing.
pub(super) const REFRESH_AFTER: Duration = Duration::from_mins(10);
/// The same after a failure: soon, since a withdrawn key may be serving, and slow enough to sit an
/// outage out.
pub(super) const RETRY_AFTER: Duration = Duration::from_mins(1);

/// What a fetch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A request names a key that is not known, or finds the set too old.
    Request,
    /// Nobody asked.
    OwnAccord,
}

/// What is remembered of past fetches.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    has_keys: bool,
    /// How many have failed since one succeeded.
    failures: usize,
    last_started_at: Option<Instant>,
    last_for_request_at: Option<Instant>,
}

impl Schedule {
    /// How long until a fetch is due; zero if it is now.
    pub(super) fn wait(&self, occasion: Occasion, now: Instant) -> Duration {
        let (since, pause) = match occasion {
            _ if !self.has_keys => (self.last_started_at, self.pause_without_keys()),
            Occasion::Request => (self.last_for_request_at, PAUSE),
            Occasion::OwnAccord if self.failures > 0 => (self.last_started_at, RETRY_AFTER),
            Occasion::OwnAccord => (self.last_started_at, REFRESH_AFTER),
        };
        since.map_or(Duration::ZERO, |since| clock::remaining(pause, since, now))
    }

    /// A fetch starts.
    pub(super) fn started(&mut self, occasion: Occasion, now: Instant) {
        self.last_started_at = Some(now);
        if occasion == Occasion::Request {
            self.last_for_request_at = Some(now);
        }
    }

    /// It led to keys.
    pub(super) fn succeeded(&mut self) {
        self.has_keys = true;
        self.failures = 0;
    }

    /// It led to nothing.
    pub(super) fn failed(&mut self) {
        self.failures += 1;
    }

    fn pause_without_keys(&self) -> Duration {
        let step = self.failures.saturating_sub(1);
        PAUSES_WITHOUT_KEYS[step.min(PAUSES_WITHOUT_KEYS.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::Occasion::{OwnAccord, Request};
    use super::*;

    fn at(seconds: u64) -> Instant {
        let millis = i64::try_from(seconds * 1000).expect("a short time");
        Instant::from_unix_millis(millis).expect("an instant")
    }

    fn waits(schedule: &Schedule, seconds: u64) -> [u64; 2] {
        [Request, OwnAccord].map(|occasion| schedule.wait(occasion, at(seconds)).as_secs())
    }

    #[test]
    fn the_first_fetch_is_due_at_once() {
        assert_eq!(waits(&Schedule::default(), 0), [0, 0]);
    }

    #[test]
    fn without_keys_both_kinds_share_the_growing_pause() {
        let mut schedule = Schedule::default();
        for (occasion, pause) in
            [(OwnAccord, 1), (Request, 2), (OwnAccord, 4), (Request, 5), (OwnAccord, 5)]
        {
            schedule.started(occasion, at(100));
            schedule.failed();
            assert_eq!(waits(&schedule, 100), [pause, pause]);
            assert_eq!(waits(&schedule, 100 + pause), [0, 0]);
        }
    }

    #[test]
    fn a_fetch_of_our_own_accord_leaves_the_slot_of_requests_free() {
        let mut schedule = Schedule::default();
        schedule.started(OwnAccord, at(0));
        schedule.succeeded();
        assert_eq!(waits(&schedule, 0), [0, 600]);
        schedule.started(Request, at(10));
        schedule.succeeded();
        assert_eq!(waits(&schedule, 10), [30, 600]);
        schedule.started(OwnAccord, at(20));
        assert_eq!(waits(&schedule, 20), [20, 600]);
    }

    #[test]
    fn a_refresh_that_fails_is_tried_again_after_a_minute() {
        let mut schedule = Schedule::default();
        schedule.started(OwnAccord, at(0));
        schedule.succeeded();
        for _ in 0..3 {
            schedule.started(OwnAccord, at(600));
            schedule.failed();
            assert_eq!(waits(&schedule, 600), [0, 60]);
        }
        schedule.succeeded();
        assert_eq!(waits(&schedule, 600), [0, 600]);
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off() {
        let mut schedule = Schedule::default();
        schedule.started(Request, at(1000));
        schedule.succeeded();
        assert_eq!(waits(&schedule, 999), [0, 0]);
    }
}
