//! Whether reads are quick at the moment.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many reads must have been quick in a row before the next is taken for quick, at first and at
/// most: twice as many after each that turned out not to be.
const FEWEST: u32 = 64;
const MOST: u32 = 512;

/// After how many quick reads it is [`FEWEST`] again.
const TRUSTED: u32 = 4_096;

/// Judges the next read by those before it.
///
/// The first reads after a start find nothing in memory, so the beginning is not quick. Where a list
/// is longer than the memory of the machine one read in a few waits for the disk, and so many quick
/// ones in a row do not come about.
/// Numbers that run on several threads at once may be a little off, which is no harm.
#[derive(Debug)]
pub(super) struct Pace {
    /// How many quick reads are missing.
    missing: AtomicU32,
    /// How many will be, after the next slow one.
    wanted: AtomicU32,
    /// How many have been quick since the last slow one.
    quick: AtomicU32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { missing: FEWEST.into(), wanted: FEWEST.into(), quick: 0.into() }
    }
}

impl Pace {
    /// Whether the next read may be expected to be quick.
    pub(super) fn is_quick(&self) -> bool {
        self.missing.load(Relaxed) == 0
    }

    /// How a read went that was expected to be quick.
    pub(super) fn note_here(&self, was_slow: bool) {
        if was_slow {
            let wanted = self.wanted.load(Relaxed).saturating_mul(2).min(MOST);
            self.wanted.store(wanted, Relaxed);
            self.missing.store(wanted, Relaxed);
            self.quick.store(0, Relaxed);
        } else if self.quick.fetch_add(1, Relaxed) == TRUSTED {
            self.wanted.store(FEWEST, Relaxed);
        }
    }

    /// How a read went that was not.
    pub(super) fn note_away(&self, was_slow: bool) {
        if was_slow {
            self.missing.store(self.wanted.load(Relaxed), Relaxed);
        } else {
            // An error means that none is missing.
            let _ = self.missing.fetch_update(Relaxed, Relaxed, |missing| missing.checked_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: bool = false;
    const SLOW: bool = true;

    /// How many quick reads it takes until the next may be expected to be.
    fn needed(pace: &Pace) -> u32 {
        let mut count = 0;
        while !pace.is_quick() {
            pace.note_away(QUICK);
            count += 1;
        }
        count
    }

    #[test]
    fn reads_are_quick_when_many_in_a_row_have_been() {
        let pace = Pace::default();
        for _ in 1..FEWEST {
            pace.note_away(QUICK);
        }
        assert!(!pace.is_quick());
        pace.note_away(SLOW);
        assert_eq!(needed(&pace), FEWEST, "in a row");
        pace.note_here(QUICK);
        assert!(pace.is_quick());
    }

    #[test]
    fn each_surprise_makes_more_careful_up_to_a_limit() {
        let pace = Pace::default();
        needed(&pace);
        for expected in [128, 256, 512, 512] {
            pace.note_here(SLOW);
            assert_eq!(needed(&pace), expected);
        }
        assert_eq!(MOST, 512);
    }

    #[test]
    fn what_has_been_quick_for_long_is_trusted_again() {
        let pace = Pace::default();
        needed(&pace);
        pace.note_here(SLOW);
        needed(&pace);
        for _ in 0..=TRUSTED {
            pace.note_here(QUICK);
        }
        pace.note_here(SLOW);
        assert_eq!(needed(&pace), 2 * FEWEST, "as after the first surprise");
    }
}
