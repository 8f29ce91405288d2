use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::account::Account;
use super::overload::{Scarce, overload};
use crate::jsonrpc::Error;

/// Many times what keeps a disk or a database busy, and more than a thousand callers with a request each.
/// Further requests would only wait longer for the same work, so they are rejected.
pub(super) const MOST_AT_WORK: usize = 1_024;

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

impl Slots {
    /// Takes a slot. Waits while other requests of the same caller hold its share. Fails with 503 if none
    /// does, and those of others hold all slots.
    pub(super) async fn take(&self, account: &Account) -> Result<(), Error> {
        // The semaphore is never closed.
        let permit = account.slots.acquire().await.map_err(|_| overload(Scarce::Work))?;
        if !self.is_taken(account)? {
            self.wait(account).await?;
        }
        permit.forget();
        Ok(())
    }

    /// Takes a slot and returns `true`, or returns `false` if the caller holds its share.
    fn is_taken(&self, account: &Account) -> Result<bool, Error> {
        let of_the_caller = account.at_work.fetch_add(1, Ordering::Relaxed) + 1;
        let one_more = |used: usize| (of_the_caller + used <= MOST_AT_WORK).then_some(used + 1);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok() {
            return Ok(true);
        }
        account.at_work.fetch_sub(1, Ordering::Relaxed);
        if of_the_caller > 1 { Ok(false) } else { Err(overload(Scarce::Work)) }
    }

    /// At most [`SLOTS_OF_A_CALLER`](super::account::SLOTS_OF_A_CALLER) requests of one caller wait here, in the order in which they came.
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

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn give_back(&self, account: &Account) {
        account.at_work.fetch_sub(1, Ordering::Relaxed);
        self.used.fetch_sub(1, Ordering::Relaxed);
        account.slots.add_permits(1);
        self.freed.notify_one();
    }
}
