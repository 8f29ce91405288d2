use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use tokio::sync::SemaphorePermit;

use super::account::Account;
use super::overload::{Scarce, overload};
use super::slots::Slots;
use super::usage::Usage;
use crate::jsonrpc::Error;

/// The most bytes that are held for requests of all callers: bodies that arrive, and answers that were not
/// taken yet. 80 MiB of them are enough for [`USUAL_STREAMS`].
const MOST_BYTES: usize = 96 * 1024 * 1024;

/// With more streams than these, so much more is held that as much is left for other requests.
const USUAL_STREAMS: usize = 5_000;

/// The steps in which a body is counted, in bytes, and so what the request of an open stream holds.
pub(crate) const STEP: usize = 16 * 1024;

/// The most of them that are held for one caller.
const MOST_BYTES_OF_A_CALLER: usize = 16 * 1024 * 1024;

/// When to retry, in seconds, for a caller who holds its share.
const RETRY_AFTER: u32 = 1;

/// Counts the bytes that are held for all requests in flight.
pub(crate) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// Of a server that admits so many streams.
    pub(super) fn new(most_streams: usize) -> Self {
        let further = most_streams.saturating_sub(USUAL_STREAMS);
        let most = MOST_BYTES.saturating_add(further.saturating_mul(STEP));
        Self { used: AtomicUsize::new(0), most }
    }

    pub(super) fn in_flight(&self) -> Usage {
        Usage { used: self.used.load(Ordering::Relaxed), limit: self.most }
    }
}

/// The bytes that are held for one request, from the first byte of its body until the client has taken the
/// last byte of the answer. What still uses them keeps a handle; the last one to go returns them.
pub(crate) struct Share {
    budget: Arc<Budget>,
    pub(super) slots: Arc<Slots>,
    account: Arc<Account>,
    bytes: AtomicUsize,
    /// How many things are at work for the request, which has one slot for them all.
    pub(super) at_work: AtomicUsize,
    /// Bytes that were looked at and are not part of the answer.
    looked_at: AtomicUsize,
    /// For how many units its bytes were charged.
    charged: AtomicUsize,
    /// What it costs beside its bytes and was not charged yet.
    further_units: AtomicUsize,
}

impl Share {
    pub(super) fn new(budget: Arc<Budget>, slots: Arc<Slots>, account: Arc<Account>) -> Self {
        Self {
            budget,
            slots,
            account,
            bytes: AtomicUsize::new(0),
            at_work: AtomicUsize::new(0),
            looked_at: AtomicUsize::new(0),
            charged: AtomicUsize::new(0),
            further_units: AtomicUsize::new(0),
        }
    }

    /// A share of a budget of its own, for a request that no server counts.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn unlimited() -> Arc<Self> {
        Arc::new(Self::new(Arc::new(Budget::new(0)), Arc::default(), Arc::default()))
    }

    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Waits until few other requests of the caller read.
    pub(crate) async fn turn_to_read(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.account.reading.acquire().await.ok()
    }

    /// Adds bytes, or fails and adds none: with 429 if the caller holds its share, with 503 if too much is
    /// held for all.
    ///
    /// The share of a caller is at most what is free of the budget. So however many callers take what they
    /// can, about as much as the greediest has is left for the next one.
    pub(crate) fn grow(&self, bytes: usize) -> Result<(), Error> {
        let of_the_caller = self.account.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let of_all = self.budget.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // Without these bytes.
        let free = (self.budget.most + bytes).saturating_sub(of_all);
        if bytes <= free && of_the_caller <= free.min(MOST_BYTES_OF_A_CALLER) {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
            return Ok(());
        }
        self.give_back(bytes);
        if of_the_caller > MOST_BYTES_OF_A_CALLER {
            Err(too_much())
        } else {
            Err(overload(Scarce::Memory))
        }
    }

    /// Adds bytes whatever the budget says: for the answer to what was done and must be told.
    pub(crate) fn add(&self, bytes: usize) {
        self.account.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes bytes that were looked at for the answer and are not part of it.
    pub(crate) fn note_looked_at(&self, bytes: usize) {
        self.looked_at.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes what a tool costs beyond the unit of its request.
    pub(crate) fn note_further_units(&self, units: usize) {
        self.further_units.fetch_add(units, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What it has cost since this was last asked: each `unit` of bytes that were held or looked at, and what
    /// was noted for tools.
    pub(super) fn uncharged(&self, unit: usize) -> usize {
        let all = self.bytes.load(Ordering::Relaxed) + self.looked_at.load(Ordering::Relaxed);
        let units = all / unit;
        let of_bytes = units.saturating_sub(self.charged.swap(units, Ordering::Relaxed));
        of_bytes + self.further_units.swap(0, Ordering::Relaxed)
    }

    fn give_back(&self, bytes: usize) {
        self.account.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.budget.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The same bytes, which keep the share until the last of them was taken.
    pub(crate) fn hold(self: Arc<Self>, bytes: Bytes) -> Bytes {
        struct Held {
            bytes: Bytes,
            _share: Arc<Share>,
        }
        impl AsRef<[u8]> for Held {
            fn as_ref(&self) -> &[u8] {
                &self.bytes
            }
        }
        Bytes::from_owner(Held { bytes, _share: self })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let held = *self.bytes.get_mut();
        self.give_back(held);
    }
}

/// HTTP 429 for a caller whose requests and answers hold as much as one caller's may.
fn too_much() -> Error {
    let message = "Your requests in flight and the answers that you have not read yet take as much \
                   memory as this server allows one caller. Read the answers, and send fewer at once.";
    Error::too_many(message, RETRY_AFTER).with_log_code("too_many_bytes")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn shares(callers: usize) -> (Arc<Budget>, Vec<Share>) {
        let budget = Arc::new(Budget::new(0));
        let share = || Share::new(Arc::clone(&budget), Arc::default(), Arc::default());
        let shares = std::iter::repeat_with(share).take(callers).collect();
        (budget, shares)
    }

    #[test]
    fn a_caller_holds_at_most_its_share_and_another_still_gets_one() {
        let (_, shares) = shares(2);
        assert!(shares[0].grow(MOST_BYTES_OF_A_CALLER).is_ok());
        assert_eq!(shares[0].grow(1).unwrap_err().status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(shares[1].grow(MIB).is_ok());
    }

    #[test]
    fn however_many_are_greedy_a_newcomer_gets_as_much_as_each_of_them() {
        for greedy in [1, 6, 50, 500] {
            let (budget, shares) = shares(greedy + 1);
            let (newcomer, greedy) = shares.split_last().unwrap();
            let mut growing = true;
            while std::mem::take(&mut growing) {
                for share in greedy {
                    growing |= share.grow(16 * 1024).is_ok();
                }
            }
            let most = greedy.iter().map(|it| it.bytes.load(Ordering::Relaxed)).max().unwrap();
            assert!(newcomer.grow(most - 16 * 1024).is_ok(), "{most}");
            assert!(budget.in_flight().used <= MOST_BYTES);
        }
    }

    #[test]
    fn the_first_bytes_of_a_caller_are_refused_only_because_of_others() {
        let (_, shares) = shares(2);
        shares[0].add(MOST_BYTES);
        assert_eq!(shares[1].grow(1).unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn as_many_streams_as_a_server_admits_leave_room_for_other_requests() {
        for streams in [USUAL_STREAMS, 10_000, 500_000] {
            let budget = Arc::new(Budget::new(streams));
            let share = || Share::new(Arc::clone(&budget), Arc::default(), Arc::default());
            let open: Vec<_> = std::iter::repeat_with(share).take(streams).collect();
            assert!(open.iter().all(|stream| stream.grow(STEP).is_ok()), "{streams}");
            assert!(share().grow(4 * MIB).is_ok(), "{streams}");
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Open(usize),
        Grow(usize, usize),
        Add(usize, usize),
        Clone(usize),
        Hold(usize),
        Drop(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_usize..3).prop_map(Step::Open),
            (any::<usize>(), 0..20 * MIB).prop_map(|(which, bytes)| Step::Grow(which, bytes)),
            (any::<usize>(), 0..MIB).prop_map(|(which, bytes)| Step::Add(which, bytes)),
            any::<usize>().prop_map(Step::Clone),
            any::<usize>().prop_map(Step::Hold),
            any::<usize>().prop_map(Step::Drop),
        ]
    }

    /// A handle to a share, or bytes that keep one.
    enum Handle {
        Share(Arc<Share>),
        Held(#[expect(dead_code, reason = "kept until it is dropped")] Bytes),
    }

    proptest! {
        /// Whatever arrives, is cancelled, answered and dropped, in whatever order.
        #[test]
        fn the_budget_returns_to_zero(steps in prop::collection::vec(step(), 0..80)) {
            let budget = Arc::new(Budget::new(0));
            let accounts: [Arc<Account>; 3] = Default::default();
            let mut handles: Vec<Handle> = Vec::new();
            for step in steps {
                let count = handles.len().max(1);
                let share = |which: usize| match handles.get(which % count) {
                    Some(Handle::Share(share)) => Some(Arc::clone(share)),
                    _ => None,
                };
                match step {
                    Step::Open(caller) => {
                        let account = Arc::clone(&accounts[caller]);
                        let share = Share::new(Arc::clone(&budget), Arc::default(), account);
                        handles.push(Handle::Share(Arc::new(share)));
                    }
                    Step::Grow(which, bytes) => {
                        let _ = share(which).map(|share| share.grow(bytes));
                    }
                    Step::Add(which, bytes) => {
                        let _ = share(which).map(|share| share.add(bytes));
                    }
                    Step::Clone(which) => handles.extend(share(which).map(Handle::Share)),
                    Step::Hold(which) => {
                        let held = share(which).map(|share| share.hold(Bytes::from_static(b"answer")));
                        handles.extend(held.map(Handle::Held));
                    }
                    Step::Drop(which) if !handles.is_empty() => {
                        handles.swap_remove(which % count);
                    }
                    Step::Drop(_) => {}
                }
                let of_callers: usize =
                    accounts.iter().map(|account| account.bytes.load(Ordering::Relaxed)).sum();
                prop_assert_eq!(of_callers, budget.in_flight().used);
            }
            handles.clear();
            prop_assert_eq!(budget.in_flight().used, 0);
        }
    }
}
