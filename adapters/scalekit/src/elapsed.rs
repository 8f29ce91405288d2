//! Durations between two readings of the clock.

use std::time::{Duration, SystemTime};

/// Whether at least `pause` lies between `since` and `now`.
///
/// True as well when the clock was set back to before `since`: the time that has really passed is
/// unknown then, and waiting for the clock to catch up could take for ever.
pub(crate) fn has_passed(pause: Duration, since: SystemTime, now: SystemTime) -> bool {
    remaining(pause, since, now).is_zero()
}

/// How much of `pause` is left at `now`, by the same rule.
pub(crate) fn remaining(pause: Duration, since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).map_or(Duration::ZERO, |elapsed| pause.saturating_sub(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_has_passed_at_its_end_and_when_the_clock_was_set_back() {
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let pause = Duration::from_secs(30);
        assert!(!has_passed(pause, at(1_000), at(1_000)));
        assert!(!has_passed(pause, at(1_000), at(30_999)));
        assert!(has_passed(pause, at(1_000), at(31_000)));
        assert!(has_passed(pause, at(1_000), at(999)));
        assert_eq!(remaining(pause, at(1_000), at(30_999)), Duration::from_millis(1));
    }
}
