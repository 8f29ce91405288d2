//! Durations between two readings of the `Clock` port.

use std::time::Duration;

use todo_application::domain::Instant;

/// Whether at least `pause` lies between `since` and `now`.
///
/// So it does when the clock was set back to before `since`: how much time has passed is unknown
/// then, and waiting for the clock to catch up could take for ever.
pub(crate) fn has_passed(pause: Duration, since: Instant, now: Instant) -> bool {
    remaining(pause, since, now).is_zero()
}

/// How much of `pause` is left at `now`, by the same rule.
pub(crate) fn remaining(pause: Duration, since: Instant, now: Instant) -> Duration {
    let elapsed = now.as_unix_millis() - since.as_unix_millis();
    u64::try_from(elapsed)
        .map_or(Duration::ZERO, |elapsed| pause.saturating_sub(Duration::from_millis(elapsed)))
}

/// `instant` moved forward by `duration`, in milliseconds since 1970.
pub(crate) fn millis_after(instant: Instant, duration: Duration) -> i64 {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    instant.as_unix_millis().saturating_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_has_passed_at_its_end_and_when_the_clock_was_set_back() {
        let at = |millis| Instant::from_unix_millis(millis).expect("an instant");
        let pause = Duration::from_secs(30);
        assert!(!has_passed(pause, at(1_000), at(1_000)));
        assert!(!has_passed(pause, at(1_000), at(30_999)));
        assert!(has_passed(pause, at(1_000), at(31_000)));
        assert!(has_passed(pause, at(1_000), at(999)));
        assert_eq!(remaining(pause, at(1_000), at(30_999)), Duration::from_millis(1));
    }
}
