use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::oauth::{Caller, CallerId};

/// What one caller uses: the same account for all its tokens, clients and connections.
pub(crate) struct Account {
    /// When its rate is at rest again; see [`Rate`](super::rate::Rate).
    pub(super) spent: AtomicU64,
    /// The bytes that are held for it.
    pub(super) bytes: AtomicUsize,
    /// Its requests that wait for its share of the slots queue up here.
    pub(super) slots: Semaphore,
    /// Those of them that only read.
    pub(super) reading: Semaphore,
    pub(super) at_work: AtomicUsize,
    pub(super) streams: AtomicUsize,
    /// The connections on which it was the first to call.
    pub(crate) connections: AtomicUsize,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            spent: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            slots: Semaphore::new(SLOTS_OF_A_CALLER),
            reading: Semaphore::new(READS_OF_A_CALLER),
            at_work: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
        }
    }
}

/// How many requests of one caller are at work at once at most; its others wait for them. Enough to keep
/// storage busy, and few enough that the requests of others, which share its queues, do not wait for long.
pub(super) const SLOTS_OF_A_CALLER: usize = 64;

/// How many of them read at once. A read keeps a thread or a connection of the storage busy, so more would
/// be no faster, and a call of another caller would wait for them all.
const READS_OF_A_CALLER: usize = 8;

/// A power of two, so that threads rarely wait for each other.
const SHARDS: usize = 16;

/// After how many new accounts those are forgotten that nothing holds on to. About as many are kept at
/// most, beyond those in use.
const FORGET_EVERY: u32 = 1 << 12;

/// The accounts of all callers that were heard of lately.
#[derive(Default)]
pub(super) struct Accounts {
    shards: [Shard; SHARDS],
}

#[derive(Default)]
struct Shard {
    accounts: Mutex<HashMap<CallerId, Arc<Account>>>,
    opened: AtomicU32,
}

impl Accounts {
    /// The account of a caller, opened if it is not known. `is_forgettable`: whether one that nothing
    /// holds is as good as new.
    pub(super) fn of(
        &self,
        caller: &Caller,
        is_forgettable: impl Fn(&Account) -> bool,
    ) -> Arc<Account> {
        let id = CallerId::from(caller);
        // Subjects end in characters that issuers choose at random.
        let index = usize::from(*caller.subject().as_bytes().last().unwrap_or(&0)) % SHARDS;
        let Shard { accounts, opened } = &self.shards[index];
        let mut accounts = accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(&id) {
            return Arc::clone(account);
        }
        if opened.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            accounts
                .retain(|_, account| Arc::strong_count(account) > 1 || !is_forgettable(account));
            accounts.shrink_to_fit();
        }
        Arc::clone(accounts.entry(id).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn caller(subject: &str, organization: Option<&str>, client: &str) -> Caller {
        let caller = Caller::new(subject, SystemTime::UNIX_EPOCH).with_client(client);
        match organization {
            Some(organization) => caller.with_organization(organization),
            None => caller,
        }
    }

    #[test]
    fn an_account_is_of_a_subject_in_an_organization_whatever_the_client() {
        let accounts = Accounts::default();
        let of = |caller: Caller| accounts.of(&caller, |_| true);
        let one = of(caller("usr_1", Some("org_1"), "a"));
        assert!(Arc::ptr_eq(&one, &of(caller("usr_1", Some("org_1"), "b"))));
        for other in [("usr_1", None), ("usr_1", Some("org_2")), ("usr_2", Some("org_1"))] {
            assert!(!Arc::ptr_eq(&one, &of(caller(other.0, other.1, "a"))), "{other:?}");
        }
    }

    #[test]
    fn accounts_at_rest_are_forgotten_and_others_are_kept() {
        let accounts = Accounts::default();
        let held = accounts.of(&caller("held", None, "a"), |_| true);
        for number in 0..4 * FORGET_EVERY as usize * SHARDS {
            accounts.of(&caller(&number.to_string(), None, "a"), |_| true);
        }
        let kept: usize = accounts.shards.iter().map(|it| it.accounts.lock().unwrap().len()).sum();
        assert!(kept <= FORGET_EVERY as usize * SHARDS + 1, "{kept}");
        assert!(Arc::ptr_eq(&held, &accounts.of(&caller("held", None, "b"), |_| true)));
    }
}
