//! When keys may be fetched: the whole policy, with times of [`protected_mcp::Clock`].
//!
//! | keys | for a key id that is not known | to have them up to date |
//! |---|---|---|
//! | none known yet | 1, 2, 4, then every 5 s after the last fetch | the same |
//! | known | 3 s after the last fetch | 10 min after the last fetch; 1 min if that one failed |
//!
//! The last fetch is the last one of either kind, counted from its start, whether it succeeded or not.
//!
//! Key ids are chosen by callers, and a made-up one looks like one of a key that was published a moment
//! ago. So a stranger can take a fetch away from others, and the next one is 3 s later: a new key is known
//! at the latest 3 s and one fetch after a token needs it. All callers together cause at most 10 fetches in
//! 30 s, and 11 where the first keys are found after failures.

use std::time::{Duration, SystemTime};

use crate::elapsed;

/// Between the starts of two fetches for unknown key ids, once keys are known.
pub(super) const PAUSE: Duration = Duration::from_secs(3);
/// Between the starts of two fetches while no key is known, after the first failure, the second, and
/// so on; the last one repeats. With the time limit of 5 s for a fetch, recovery takes under 10 s.
const PAUSES_WITHOUT_KEYS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];
/// The age of a set at which it is fetched again. A withdrawn key is accepted for at most that much
/// longer; six requests in an hour are no load for Scalekit.
pub(super) const REFRESH_AFTER: Duration = Duration::from_mins(10);
/// The same after a failure: soon, as a withdrawn key may still be accepted, and slow enough for an
/// outage.
pub(super) const RETRY_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A token needs a key that is not known.
    UnknownKey,
    /// The set is to be kept up to date: periodically, because a request finds it too old, or because
    /// readiness is checked.
    Refresh,
}

/// The past fetches, as far as they matter.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    has_keys: bool,
    /// Since the last success.
    failures: usize,
    last_started_at: Option<SystemTime>,
}

impl Schedule {
    /// How long until a fetch is due; zero if it is due now.
    pub(super) fn wait(&self, occasion: Occasion, now: SystemTime) -> Duration {
        let pause = match occasion {
            _ if !self.has_keys => self.pause_without_keys(),
            Occasion::UnknownKey => PAUSE,
            Occasion::Refresh if self.failures > 0 => RETRY_AFTER,
            Occasion::Refresh => REFRESH_AFTER,
        };
        let since = self.last_started_at;
        since.map_or(Duration::ZERO, |since| elapsed::remaining(pause, since, now))
    }

    pub(super) fn started(&mut self, now: SystemTime) {
        self.last_started_at = Some(now);
    }

    /// The fetch returned keys.
    pub(super) fn succeeded(&mut self) {
        self.has_keys = true;
        self.failures = 0;
    }

    pub(super) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    fn pause_without_keys(&self) -> Duration {
        let step = self.failures.saturating_sub(1);
        PAUSES_WITHOUT_KEYS[step.min(PAUSES_WITHOUT_KEYS.len() - 1)]
    }
}

#[cfg(test)]
mod tests;
