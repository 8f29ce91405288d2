use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::budget::Share;
use crate::jsonrpc::Error;

/// A place at work, shared by all that works for one request.
pub(crate) struct Slot(Arc<Share>);

impl Slot {
    /// A slot for a request; see [`Slots::take`](super::slots::Slots::take).
    pub(super) async fn take(share: &Arc<Share>) -> Result<Self, Error> {
        share.slots.take(share.account()).await?;
        share.at_work.fetch_add(1, Ordering::Relaxed);
        Ok(Self(Arc::clone(share)))
    }

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

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::super::Limits;
    use super::super::account::SLOTS_OF_A_CALLER;
    use super::super::slots::MOST_AT_WORK;
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
        let take = || Slot::take(&next_of(limits, share)).now_or_never();
        std::iter::from_fn(|| take()?.ok()).collect()
    }

    #[test]
    fn one_caller_waits_for_its_own_requests_and_no_other_does() {
        let (limits, shares) = shares(2);
        let mut taken = take_all(&limits, &shares[0]);
        assert_eq!(taken.len(), SLOTS_OF_A_CALLER);
        assert!(Slot::take(&shares[1]).now_or_never().is_some());
        let mut waiting = Box::pin(Slot::take(&shares[0]));
        assert!(waiting.as_mut().now_or_never().is_none());
        taken.pop();
        assert!(waiting.now_or_never().unwrap().is_ok());
    }

    #[test]
    fn more_than_all_slots_are_rejected_at_once() {
        let (_, shares) = shares(MOST_AT_WORK + 1);
        let taken: Vec<_> =
            shares.iter().map(|share| Slot::take(share).now_or_never().unwrap()).collect();
        assert!(taken[..MOST_AT_WORK].iter().all(Result::is_ok));
        assert!(taken[MOST_AT_WORK].is_err());
    }

    #[test]
    fn however_many_are_greedy_a_newcomer_soon_gets_as_many_as_each_of_them() {
        for greedy in [1, 15, 16, 17, 100, 400] {
            let (limits, shares) = shares(greedy + 1);
            let mut slots: Vec<Vec<Slot>> = shares.iter().map(|_| Vec::new()).collect();
            // Whether there was one more. No caller that holds some is refused.
            let grow = |slots: &mut Vec<Slot>, share: &Share| {
                let next = Slot::take(&next_of(&limits, share)).now_or_never();
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
        let long = Slot::take(one).now_or_never().unwrap();
        let others: Vec<_> = others.iter().map(|share| take_all(&limits, share)).collect();
        let mut waiting: Vec<Taking<'_>> = Vec::new();
        for _ in 0..20 {
            waiting.push(Box::pin(take(next_of(&limits, one))));
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

    async fn take(share: Arc<Share>) -> Result<Slot, Error> {
        Slot::take(&share).await
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
                        waiting.push(Box::pin(take(share)));
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
            prop_assert_eq!(limits.slots.used(), 0);
            for share in shares {
                prop_assert_eq!(share.account().at_work.load(Ordering::Relaxed), 0);
                prop_assert_eq!(share.account().slots.available_permits(), SLOTS_OF_A_CALLER);
            }
        }
    }
}
