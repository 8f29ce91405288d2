use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::jsonrpc::Error;
use crate::oauth::Caller;

/// How many seconds' worth of requests may come at once after a pause.
const BURST_SECONDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// After how many requests the callers are forgotten that have been idle. About as many are remembered at
/// most.
const FORGET_EVERY: u32 = 1 << 16;

/// Limits the requests of each caller (GCRA: a bucket that refills steadily).
pub(crate) struct RateLimit(Option<Counting>);

struct Counting {
    limiter: DefaultKeyedRateLimiter<Arc<str>>,
    checks: AtomicU32,
}

impl RateLimit {
    /// `per_second` requests of one caller on average, ten times as many at once; `None` for no limit.
    pub(crate) fn new(per_second: Option<NonZeroU32>) -> Self {
        Self(per_second.map(|rate| {
            let quota = Quota::per_second(rate).allow_burst(rate.saturating_mul(BURST_SECONDS));
            Counting { limiter: RateLimiter::keyed(quota), checks: AtomicU32::new(0) }
        }))
    }

    /// Counts one request. Fails with 429 if the caller has sent too many.
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Error> {
        let Some(Counting { limiter, checks }) = &self.0 else { return Ok(()) };
        if checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        let Err(not_until) = limiter.check_key(caller.subject()) else { return Ok(()) };
        let seconds = not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        Err(Error::too_many(
            "You are sending more requests than this server allows one caller. Wait a moment, and \
             send fewer at once.",
            u32::try_from(seconds).unwrap_or(u32::MAX),
        ))
    }
}
