//! Whether queries are fast at the moment.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many queries in a row must be fast before the next is expected to be. The number starts at `MIN`
/// and doubles up to `MAX` with each expectation that fails.
const MIN: u32 = 64;
const MAX: u32 = 512;

/// After this many fast queries the number is [`MIN`] again.
const TRUSTED: u32 = 4_096;

/// Predicts the next query from the previous ones.
///
/// The first queries after a start find no pages in memory, so it starts as slow. If the lists are larger
/// than the memory of the machine, one query in a few waits for the disk, and the number of fast ones in
/// a row is never reached.
/// The counters may be slightly off when they are updated concurrently, which is harmless.
#[derive(Debug)]
pub(super) struct Pace {
    /// How many more fast queries are needed.
    missing: AtomicU32,
    /// How many will be needed after the next slow one.
    required: AtomicU32,
    /// How many have been fast since the last slow one.
    fast: AtomicU32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { missing: MIN.into(), required: MIN.into(), fast: 0.into() }
    }
}

impl Pace {
    /// Whether the next query is expected to be fast.
    pub(super) fn is_fast(&self) -> bool {
        self.missing.load(Relaxed) == 0
    }

    /// Records a query that was expected to be fast.
    pub(super) fn record_inline(&self, was_slow: bool) {
        if was_slow {
            let required = self.required.load(Relaxed).saturating_mul(2).min(MAX);
            self.required.store(required, Relaxed);
            self.missing.store(required, Relaxed);
            self.fast.store(0, Relaxed);
        } else if self.fast.fetch_add(1, Relaxed) == TRUSTED {
            self.required.store(MIN, Relaxed);
        }
    }

    /// Records a query that was not.
    pub(super) fn record_offloaded(&self, was_slow: bool) {
        if was_slow {
            self.missing.store(self.required.load(Relaxed), Relaxed);
        } else {
            // An error means that none is missing.
            let _ = self.missing.fetch_update(Relaxed, Relaxed, |missing| missing.checked_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAST: bool = false;
    const SLOW: bool = true;

    /// How many fast queries it takes until the next is expected to be.
    fn needed(pace: &Pace) -> u32 {
        let mut count = 0;
        while !pace.is_fast() {
            pace.record_offloaded(FAST);
            count += 1;
        }
        count
    }

    #[test]
    fn queries_are_expected_to_be_fast_after_many_fast_ones_in_a_row() {
        let pace = Pace::default();
        for _ in 1..MIN {
            pace.record_offloaded(FAST);
        }
        assert!(!pace.is_fast());
        pace.record_offloaded(SLOW);
        assert_eq!(needed(&pace), MIN, "in a row");
        pace.record_inline(FAST);
        assert!(pace.is_fast());
    }

    #[test]
    fn each_failed_expectation_doubles_the_number_up_to_a_limit() {
        let pace = Pace::default();
        needed(&pace);
        for expected in [128, 256, 512, 512] {
            pace.record_inline(SLOW);
            assert_eq!(needed(&pace), expected);
        }
        assert_eq!(MAX, 512);
    }

    #[test]
    fn the_number_is_reset_after_a_long_time_of_fast_queries() {
        let pace = Pace::default();
        needed(&pace);
        pace.record_inline(SLOW);
        needed(&pace);
        for _ in 0..=TRUSTED {
            pace.record_inline(FAST);
        }
        pace.record_inline(SLOW);
        assert_eq!(needed(&pace), 2 * MIN, "as after the first failed expectation");
    }
}
