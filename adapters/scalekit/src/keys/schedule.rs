//! When keys may be fetched: the whole policy, with times of [`protected_mcp::Clock`].
//!
//! | keys | for a request that needs one | periodically |
//! |---|---|---|
//! | none known yet | 1, 2, 4, then every 5 s after the last fetch of either kind | the same |
//! | known | 30 s after the last fetch for a request | 10 min after the last fetch of either kind; 1 min if that one failed |
//!
//! Once keys are known, neither kind delays the other. Key ids are chosen by callers: made-up ones
//! cause one fetch in 30 s for all callers together, and nothing that callers do causes more. A
//! periodic fetch does not use up that slot, so a key that is published right after it is found by the
//! first request that needs it. Together that is at most 2.1 fetches in a minute, well below Scalekit's
//! limits, and 3 in an outage.

use std::time::{Duration, SystemTime};

use crate::elapsed;

/// Between the starts of two fetches for requests, once keys are known.
pub(super) const PAUSE: Duration = Duration::from_secs(30);
/// Between the starts of two fetches while no key is known, after the first failure, the second, and
/// so on; the last one repeats. With the time limit of 5 s for a fetch, recovery takes under 10 s.
const PAUSES_WITHOUT_KEYS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];
/// The age of a set at which it is fetched again periodically. A withdrawn key is accepted for at most
/// that much longer; six requests in an hour are no load for Scalekit.
pub(super) const REFRESH_AFTER: Duration = Duration::from_mins(10);
/// The same after a failure: soon, as a withdrawn key may still be accepted, and slow enough for an
/// outage.
pub(super) const RETRY_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A request needs a key that is not known, or finds the set too old.
    Request,
    /// Periodic, or because readiness is checked.
    Periodic,
}

/// The past fetches, as far as they matter.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    has_keys: bool,
    /// Since the last success.
    failures: usize,
    last_started_at: Option<SystemTime>,
    last_for_request_at: Option<SystemTime>,
}

impl Schedule {
    /// How long until a fetch is due; zero if it is due now.
    pub(super) fn wait(&self, occasion: Occasion, now: SystemTime) -> Duration {
        let (since, pause) = match occasion {
            _ if !self.has_keys => (self.last_started_at, self.pause_without_keys()),
            Occasion::Request => (self.last_for_request_at, PAUSE),
            Occasion::Periodic if self.failures > 0 => (self.last_started_at, RETRY_AFTER),
            Occasion::Periodic => (self.last_started_at, REFRESH_AFTER),
        };
        since.map_or(Duration::ZERO, |since| elapsed::remaining(pause, since, now))
    }

    pub(super) fn started(&mut self, occasion: Occasion, now: SystemTime) {
        self.last_started_at = Some(now);
        if occasion == Occasion::Request {
            self.last_for_request_at = Some(now);
        }
    }

    /// The fetch returned keys.
    pub(super) fn succeeded(&mut self) {
        self.has_keys = true;
        self.failures = 0;
    }

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
    use super::Occasion::{Periodic, Request};
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn waits(schedule: &Schedule, seconds: u64) -> [u64; 2] {
        [Request, Periodic].map(|occasion| schedule.wait(occasion, at(seconds)).as_secs())
    }

    #[test]
    fn the_first_fetch_is_due_at_once() {
        assert_eq!(waits(&Schedule::default(), 0), [0, 0]);
    }

    #[test]
    fn without_keys_both_kinds_share_the_growing_pause() {
        let mut schedule = Schedule::default();
        for (occasion, pause) in
            [(Periodic, 1), (Request, 2), (Periodic, 4), (Request, 5), (Periodic, 5)]
        {
            schedule.started(occasion, at(100));
            schedule.failed();
            assert_eq!(waits(&schedule, 100), [pause, pause]);
            assert_eq!(waits(&schedule, 100 + pause), [0, 0]);
        }
    }

    #[test]
    fn a_periodic_fetch_leaves_the_slot_of_requests_free() {
        let mut schedule = Schedule::default();
        schedule.started(Periodic, at(0));
        schedule.succeeded();
        assert_eq!(waits(&schedule, 0), [0, 600]);
        schedule.started(Request, at(10));
        schedule.succeeded();
        assert_eq!(waits(&schedule, 10), [30, 600]);
        schedule.started(Periodic, at(20));
        assert_eq!(waits(&schedule, 20), [20, 600]);
    }

    #[test]
    fn a_failed_refresh_is_retried_after_a_minute() {
        let mut schedule = Schedule::default();
        schedule.started(Periodic, at(0));
        schedule.succeeded();
        for _ in 0..3 {
            schedule.started(Periodic, at(600));
            schedule.failed();
            assert_eq!(waits(&schedule, 600), [0, 60]);
        }
        schedule.succeeded();
        assert_eq!(waits(&schedule, 600), [0, 600]);
    }

    #[test]
    fn a_clock_that_is_set_back_delays_nothing() {
        let mut schedule = Schedule::default();
        schedule.started(Request, at(1000));
        schedule.succeeded();
        assert_eq!(waits(&schedule, 999), [0, 0]);
    }
}
