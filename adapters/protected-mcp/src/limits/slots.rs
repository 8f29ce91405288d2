use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::account::Account;
use super::budget::Share;
use crate::jsonrpc::Error;

/// Many times what keeps a disk or a database busy, and more than a thousand callers with a request each.
/// Further requests would only wait longer for the same work, so they are rejected.
const MOST_AT_WORK: usize = 1_024;

/// How many requests of one caller are at work at once at most; its others wait for them. Enough to keep
/// storage busy, and few enough that the requests of others, which share its queues, do not wait for long.
pub(super) const SLOTS_OF_A_CALLER: usize = 64;

/// When to retry, in seconds. What is in flight has completed long before.
const RETRY_AFTER: u32 = 1;

/// Limits how many requests are processed at once, which bounds the time that an answer takes.
///
/// Like that of the [budget](super::Budget), the share of a caller is at most what is free: a newcomer gets
/// as many slots as the greediest has.
#[derive(Default)]
pub(super) struct Slots {
    used: AtomicUsize,
    /// Wakes one of those whose share has shrunk.
    freed: Notify,
}

/// A place at work, shared by all that works for one request.
pub(crate) struct Slot(Arc<Share>);

impl Slots {
    /// Waits while other requests of the same caller hold its share. Fails with 503 if none does, and
    /// those of others hold all slots.
    pub(super) async fn take(&self, share: &Arc<Share>) -> Result<Slot, Error> {
        let account = share.account();
        // The semaphore is never closed.
        let permit = account.slots.acquire().await.map_err(|_| overload())?;
        if !self.is_taken(account)? {
            self.wait(account).await?;
        }
        permit.forget();
        share.at_work.fetch_add(1, Ordering::Relaxed);
        Ok(Slot(Arc::clone(share)))
    }

    /// Takes a slot and returns `true`, or returns `false` if the caller holds its share.
    fn is_taken(&self, account: &Account) -> Result<bool, Error> {
        let of_the_caller = account.at_work.fetch_add(1, Ordering::Relaxed) + 1;
        let one_more = |used: usize| (of_the_caller + used <= MOST_AT_WORK).then_some(used + 1);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok() {
            return Ok(true);
        }
        account.at_work.fetch_sub(1, Ordering::Relaxed);
        if of_the_caller > 1 { Ok(false) } else { Err(overload()) }
    }

    /// At most [`SLOTS_OF_A_CALLER`] requests of one caller wait here, in the order in which they came.
    async fn wait(&self, account: &Account) -> Result<(), Error> {
        loop {
            let mut freed = pin!(self.freed.notified());
            // From here on no slot is freed unnoticed.
            freed.as_mut().enable();
            let taken = self.is_taken(account);
            if !matches!(taken, Ok(false)) {
                // There may be room for the next one, too.
                self.freed.notify_one();
                return taken.map(drop);
            }
            freed.await;
        }
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn give_back(&self, account: &Account) {
        account.at_work.fetch_sub(1, Ordering::Relaxed);
        self.used.fetch_sub(1, Ordering::Relaxed);
        account.slots.add_permits(1);
        self.freed.notify_one();
    }
}

impl Slot {
    /// The same place, for work that goes on by itself. `None` if the request has none.
    pub(crate) fn of(share: &Arc<Share>) -> Option<Self> {
        let one_more = |at_work: usize| (at_work > 0).then_some(at_work + 1);
        let at_work = share.at_work.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        at_work.is_ok().then(|| Self(Arc::clone(share)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Self(share) = self;
        if share.at_work.fetch_sub(1, Ordering::Relaxed) == 1 {
            share.slots.give_back(share.account());
        }
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
    use std::pin::Pin;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::super::Limits;
    use super::*;

    type Taking<'a> = Pin<Box<dyn Future<Output = Result<Slot, Error>> + 'a>>;

    fn shares(callers: usize) -> (Limits, Vec<Arc<Share>>) {
        let limits = Limits::new(None, 0);
        let shares = (0..callers).map(|_| Arc::new(limits.share_of(Arc::default()))).collect();
        (limits, shares)
    }

    /// Another request of the same caller.
    fn next_of(limits: &Limits, share: &Share) -> Arc<Share> {
        Arc::new(limits.share_of(Arc::clone(share.account())))
    }

    /// All slots that a caller gets without waiting.
    fn take_all(limits: &Limits, share: &Share) -> Vec<Slot> {
        let take = || limits.slots.take(&next_of(limits, share)).now_or_never();
        std::iter::from_fn(|| take()?.ok()).collect()
    }

    #[test]
    fn one_caller_waits_for_its_own_requests_and_no_other_does() {
        let (limits, shares) = shares(2);
        let mut taken = take_all(&limits, &shares[0]);
        assert_eq!(taken.len(), SLOTS_OF_A_CALLER);
        assert!(limits.slots.take(&shares[1]).now_or_never().is_some());
        let mut waiting = Box::pin(limits.slots.take(&shares[0]));
        assert!(waiting.as_mut().now_or_never().is_none());
        taken.pop();
        assert!(waiting.now_or_never().unwrap().is_ok());
    }

    #[test]
    fn more_than_all_slots_are_rejected_at_once() {
        let (limits, shares) = shares(MOST_AT_WORK + 1);
        let taken: Vec<_> =
            shares.iter().map(|share| limits.slots.take(share).now_or_never().unwrap()).collect();
        assert!(taken[..MOST_AT_WORK].iter().all(Result::is_ok));
        assert!(taken[MOST_AT_WORK].is_err());
    }

    #[test]
    fn however_many_are_greedy_a_newcomer_soon_gets_as_many_as_each_of_them() {
        for greedy in [1, 15, 16, 17, 100, 400] {
            let (limits, shares) = shares(greedy + 1);
            let mut slots: Vec<Vec<Slot>> = shares.iter().map(|_| Vec::new()).collect();
            // Whether there was one more. Nobody who holds some is refused.
            let grow = |slots: &mut Vec<Slot>, share: &Share| {
                let next = limits.slots.take(&next_of(&limits, share)).now_or_never();
                slots.extend(next.map(Result::unwrap));
            };
            for _ in 0..SLOTS_OF_A_CALLER {
                for caller in 0..greedy {
                    grow(&mut slots[caller], &shares[caller]);
                }
            }
            let most = slots.iter().map(Vec::len).max().unwrap();
            let newcomer = take_all(&limits, &shares[greedy]);
            assert!(newcomer.len() >= most / 2 && !newcomer.is_empty(), "{greedy}");
            slots[greedy].extend(newcomer);
            // Each request ends, and each caller sends another one.
            for _ in 0..most {
                for caller in 0..=greedy {
                    slots[caller].pop();
                    grow(&mut slots[caller], &shares[caller]);
                    grow(&mut slots[caller], &shares[caller]);
                }
            }
            let most = slots.iter().map(Vec::len).max().unwrap();
            assert!(slots[greedy].len() >= most - 1, "{most} of {greedy}");
        }
    }

    #[test]
    fn who_waits_for_its_share_gets_it_when_others_are_done() {
        let (limits, shares) = shares(MOST_AT_WORK / 2);
        let (one, others) = shares.split_first().unwrap();
        let long = limits.slots.take(one).now_or_never().unwrap();
        let others: Vec<_> = others.iter().map(|share| take_all(&limits, share)).collect();
        let mut waiting: Vec<Taking<'_>> = Vec::new();
        for _ in 0..20 {
            waiting.push(Box::pin(take(&limits, next_of(&limits, one))));
        }
        assert!(waiting.iter_mut().all(|taking| taking.now_or_never().is_none()));
        drop(others);
        // Not only when its own is done, which may take long.
        let mut taken = Vec::new();
        for _ in 0..20 {
            waiting.retain_mut(|taking| match taking.now_or_never() {
                Some(slot) => {
                    taken.push(slot.unwrap());
                    false
                }
                None => true,
            });
        }
        assert_eq!(taken.len(), 20);
        drop(long);
    }

    async fn take(limits: &Limits, share: Arc<Share>) -> Result<Slot, Error> {
        limits.slots.take(&share).await
    }

    proptest! {
        /// Whatever is taken, waits, is cancelled or goes on by itself.
        #[test]
        fn all_slots_come_back(steps in prop::collection::vec((0_usize..6, any::<usize>()), 0..400)) {
            let (limits, shares) = shares(40);
            let mut waiting: Vec<Taking<'_>> = Vec::new();
            let mut slots: Vec<Slot> = Vec::new();
            for (step, which) in steps {
                match step {
                    0..=2 => {
                        let share = next_of(&limits, &shares[which % shares.len()]);
                        waiting.push(Box::pin(take(&limits, share)));
                    }
                    3 if !waiting.is_empty() => drop(waiting.swap_remove(which % waiting.len())),
                    4 if !slots.is_empty() => drop(slots.swap_remove(which % slots.len())),
                    5 if !slots.is_empty() => {
                        let again = Slot::of(&slots[which % slots.len()].0);
                        slots.extend(again);
                    }
                    _ => {}
                }
                let mut index = 0;
                while index < waiting.len() {
                    match waiting[index].as_mut().now_or_never() {
                        Some(taken) => {
                            drop(waiting.swap_remove(index));
                            slots.extend(taken.ok());
                        }
                        None => index += 1,
                    }
                }
            }
            drop(waiting);
            drop(slots);
            prop_assert_eq!(limits.slots.used.load(Ordering::Relaxed), 0);
            for share in shares {
                prop_assert_eq!(share.account().at_work.load(Ordering::Relaxed), 0);
                prop_assert_eq!(share.account().slots.available_permits(), SLOTS_OF_A_CALLER);
            }
        }
    }
}
