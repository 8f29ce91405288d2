use tokio::sync::{Semaphore, SemaphorePermit};

use super::account::Account;
use crate::jsonrpc::Error;

/// Many times what keeps a disk or a database busy, and more than a thousand callers with a request each.
/// Further requests would only wait longer for the same work, so they are rejected.
const MOST_AT_WORK: usize = 1_024;

/// How many requests of one caller are at work at once; its others wait for them. Enough to keep storage
/// busy, and few enough that the requests of others, which share its queues, do not wait for long.
pub(super) const SLOTS_OF_A_CALLER: usize = 64;

/// When to retry, in seconds. What is in flight has completed long before.
const RETRY_AFTER: u32 = 1;

/// Limits how many requests are processed at once, which bounds the time that an answer takes.
pub(super) struct Slots(Semaphore);

/// A place at work.
pub(crate) struct Slot<'a> {
    _of_the_caller: SemaphorePermit<'a>,
    _of_all: SemaphorePermit<'a>,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self(Semaphore::new(MOST_AT_WORK))
    }

    pub(super) async fn take<'a>(&'a self, account: &'a Account) -> Result<Slot<'a>, Error> {
        // Neither semaphore is ever closed.
        let of_the_caller = account.slots.acquire().await.map_err(|_| overload())?;
        let of_all = self.0.try_acquire().map_err(|_| overload())?;
        Ok(Slot { _of_the_caller: of_the_caller, _of_all: of_all })
    }
}

/// HTTP 503 with `Retry-After`.
pub(crate) fn overload() -> Error {
    let message =
        "This server has more to do than it can at the moment. Wait a moment and try again.";
    Error::unavailable(message, RETRY_AFTER).with_log_code("overloaded")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn one_caller_waits_for_its_own_requests_and_no_other_does() {
        let slots = Slots::new();
        let (greedy, calm) = (Account::default(), Account::default());
        let take = |account| slots.take(account).now_or_never().map(Result::unwrap);
        let mut taken: Vec<_> = std::iter::from_fn(|| take(&greedy)).collect();
        assert_eq!(taken.len(), SLOTS_OF_A_CALLER);
        assert!(take(&calm).is_some());
        taken.pop();
        assert!(take(&greedy).is_some());
    }

    #[test]
    fn more_than_all_slots_are_rejected_at_once() {
        let slots = Slots::new();
        let accounts: Vec<_> = (0..=MOST_AT_WORK).map(|_| Account::default()).collect();
        let taken: Vec<_> =
            accounts.iter().map(|account| slots.take(account).now_or_never().unwrap()).collect();
        assert!(taken[..MOST_AT_WORK].iter().all(Result::is_ok));
        assert!(taken[MOST_AT_WORK].is_err());
    }
}
