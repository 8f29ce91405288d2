use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::jsonrpc::Error;

/// How many seconds' worth of cost may come at once after a pause.
const BURST_SECONDS: u64 = 10;

const SECOND: u64 = 1_000_000_000;

/// How much one caller may cost in the course of time (GCRA: a bucket that refills steadily), in units of
/// which a request is one. Unlike a bucket of a library, it can be overdrawn by what has turned out to
/// cost more.
///
/// Of each caller it keeps one number, the instant at which the bucket is full again. Instants are in
/// nanoseconds from the start of the server.
pub(super) struct Rate {
    /// How long one unit takes to refill.
    unit: u64,
}

impl Rate {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self { unit: SECOND / u64::from(per_second.get()) }
    }

    /// Takes one unit, or fails with how long it takes until there is one.
    pub(super) fn take(&self, full_at: &AtomicU64, now: u64) -> Result<(), Duration> {
        let latest = now.saturating_add(BURST_SECONDS * SECOND);
        let taken = full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let then = full_at.max(now).saturating_add(self.unit);
            (then <= latest).then_some(then)
        });
        taken.map(drop).map_err(|full_at| {
            Duration::from_nanos(full_at.saturating_add(self.unit).saturating_sub(latest))
        })
    }

    /// Takes units that may not be there.
    pub(super) fn charge(&self, full_at: &AtomicU64, units: usize, now: u64) {
        let cost = self.unit.saturating_mul(u64::try_from(units).unwrap_or(u64::MAX));
        let charged = |full_at: u64| Some(full_at.max(now).saturating_add(cost));
        // It never fails: the closure always returns a value.
        let _ = full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charged);
    }
}

/// Whether the bucket is full, like that of a caller who was never heard of.
pub(super) fn is_rested(full_at: &AtomicU64, now: u64) -> bool {
    full_at.load(Ordering::Relaxed) <= now
}

/// HTTP 429 for a caller who has used up its rate until `wait` has passed.
pub(super) fn too_many(wait: Duration) -> Error {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
    Error::too_many(
        "You are sending more requests than this server allows one caller. Wait a moment, and send \
         fewer at once.",
        seconds,
    )
    .with_log_code("rate_limited")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(per_second: u32) -> Rate {
        Rate::new(NonZeroU32::new(per_second).unwrap())
    }

    #[test]
    fn ten_seconds_worth_may_come_at_once_and_then_as_much_as_refills() {
        let (rate, full_at) = (rate(100), AtomicU64::new(0));
        let taken = |now| (0..10_000).take_while(|_| rate.take(&full_at, now).is_ok()).count();
        assert_eq!(taken(SECOND), 1_000);
        assert_eq!(rate.take(&full_at, SECOND), Err(Duration::from_millis(10)));
        assert_eq!(taken(2 * SECOND), 100);
        assert!(!is_rested(&full_at, 11 * SECOND));
        assert!(is_rested(&full_at, 12 * SECOND));
    }

    #[test]
    fn a_debt_is_paid_before_the_next_unit() {
        let (rate, full_at) = (rate(1), AtomicU64::new(0));
        rate.charge(&full_at, 15, 0);
        assert_eq!(rate.take(&full_at, 0), Err(Duration::from_secs(6)));
        assert_eq!(rate.take(&full_at, 6 * SECOND), Ok(()));
        rate.charge(&full_at, usize::MAX, 0);
        assert!(rate.take(&full_at, 0).is_err());
    }

    proptest! {
        #[test]
        fn no_more_is_taken_than_a_burst_and_what_refills(
            per_second in 1_u32..1_000,
            steps in prop::collection::vec((0_u64..SECOND, 0_usize..50), 1..60),
        ) {
            let (rate, full_at) = (rate(per_second), AtomicU64::new(0));
            let (mut now, mut taken) = (0, 0);
            for (pause, wanted) in steps {
                now += pause;
                taken += (0..wanted).filter(|_| rate.take(&full_at, now).is_ok()).count() as u64;
                let most = (BURST_SECONDS * SECOND + now) / rate.unit;
                prop_assert!(taken <= most, "{taken} of {most} at {now}");
            }
        }
    }
}
