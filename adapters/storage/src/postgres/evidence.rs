//! What recent requests say about the health of the database.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many workspaces are remembered, of reads and of writes: those whose hashes were used last.
const PLACES: usize = 64;

/// For how long the outcome of a request counts.
const LASTS: Duration = Duration::from_secs(10);

/// How many workspaces must have asked, before the database is judged by their requests.
const ENOUGH: usize = 16;

/// The outcome of the last request of each of a sample of workspaces.
///
/// One that fails a hundred times counts as one: it may be the only one on its machine.
pub(super) struct Evidence {
    /// Whether a write has failed, and none of the health check has succeeded since.
    pub(super) is_failing: AtomicBool,
    hasher: RandomState,
    start: Instant,
    /// Of reads and of writes.
    outcomes: [[AtomicU64; PLACES]; 2],
}

impl Default for Evidence {
    fn default() -> Self {
        let outcomes = [const { [const { AtomicU64::new(0) }; PLACES] }; 2];
        let is_failing = AtomicBool::new(false);
        Self { is_failing, hasher: RandomState::new(), start: Instant::now(), outcomes }
    }
}

impl Evidence {
    /// Records an outcome.
    pub(super) fn record(&self, workspace: Option<&[u8]>, is_a_read: bool, is_served: bool) {
        if !is_a_read && !is_served {
            self.is_failing.store(true, Ordering::Relaxed);
        }
        let Some(workspace) = workspace else { return };
        let places = &self.outcomes[usize::from(is_a_read)];
        let hash = usize::try_from(self.hasher.hash_one(workspace) % PLACES as u64);
        if let Some(place) = hash.ok().and_then(|hash| places.get(hash)) {
            // Zero is none.
            let outcome = ((self.now() + 1) << 1) | u64::from(is_served);
            place.store(outcome, Ordering::Relaxed);
        }
    }

    /// Forgets all outcomes.
    pub(super) fn forget(&self) {
        for place in self.outcomes.iter().flatten() {
            place.store(0, Ordering::Relaxed);
        }
    }

    /// Whether the requests of more than three quarters of the workspaces fail, reads or writes. On two
    /// machines of which one is lost it is about a half.
    pub(super) fn are_most_failing(&self) -> bool {
        let now = self.now() + 1;
        let last = u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX);
        self.outcomes.iter().any(|places| {
            let outcomes = places.iter().map(|place| place.load(Ordering::Relaxed));
            let recent = outcomes
                .filter(|outcome| *outcome != 0 && now.saturating_sub(outcome >> 1) <= last);
            let (mut total, mut failed) = (0, 0);
            for outcome in recent {
                total += 1;
                failed += usize::from(outcome & 1 == 0);
            }
            total >= ENOUGH && failed * 4 > total * 3
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX >> 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(evidence: &Evidence, workspaces: u8, is_served: impl Fn(u8) -> bool) {
        for workspace in 0..workspaces {
            evidence.record(Some(&[workspace]), true, is_served(workspace));
        }
    }

    #[test]
    fn a_part_of_all_workspaces_may_fail() {
        let evidence = Evidence::default();
        assert!(!evidence.are_most_failing());
        ask(&evidence, 255, |workspace| workspace % 2 == 0);
        assert!(!evidence.are_most_failing());
        ask(&evidence, 255, |_| false);
        assert!(evidence.are_most_failing());
        evidence.forget();
        assert!(!evidence.are_most_failing());
    }

    #[test]
    fn what_fails_often_counts_once() {
        let evidence = Evidence::default();
        for _ in 0..1_000 {
            ask(&evidence, 3, |_| false);
        }
        assert!(!evidence.are_most_failing());
    }

    #[test]
    fn reads_do_not_outweigh_failing_writes() {
        let evidence = Evidence::default();
        ask(&evidence, 255, |_| true);
        for workspace in 0..255 {
            evidence.record(Some(&[workspace]), false, false);
        }
        assert!(evidence.are_most_failing());
        assert!(evidence.is_failing.load(Ordering::Relaxed));
    }
}
