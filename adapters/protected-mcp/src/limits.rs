//! Limits on what one caller, and all callers together, may use at once and in the course of time.

mod account;
mod budget;
mod overload;
mod rate;
mod slot;
mod slots;
mod streams;
mod usage;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use account::Account;
pub(crate) use budget::{Budget, STEP, Share};
pub(crate) use overload::{Scarce, overload};
pub(crate) use slot::Slot;
pub(crate) use streams::StreamPermit;
pub use usage::Usage;

use account::Accounts;
use rate::Rate;
use slots::{MOST_AT_WORK, Slots};
use streams::StreamLimit;

use crate::jsonrpc::Error;
use crate::oauth::Caller;

/// How many bytes read or looked at cost as much as a request.
const BYTES_PER_UNIT: usize = 64 * 1024;

/// The limits of one server.
pub(crate) struct Limits {
    rate: Option<Rate>,
    accounts: Accounts,
    budget: Arc<Budget>,
    slots: Arc<Slots>,
    streams: StreamLimit,
    started: Instant,
}

impl Limits {
    /// `per_second` cost units of one caller on average, ten times as many at once; `None` for no limit.
    /// `most_streams` of all callers.
    pub(crate) fn new(per_second: Option<NonZeroU32>, most_streams: usize) -> Self {
        Self {
            rate: per_second.map(Rate::new),
            accounts: Accounts::default(),
            budget: Arc::new(Budget::new(most_streams)),
            slots: Arc::default(),
            streams: StreamLimit::new(most_streams),
            started: Instant::now(),
        }
    }

    /// The account of a caller, and what its next request holds.
    pub(crate) fn admit(&self, caller: &Caller, now: Instant) -> Result<Arc<Share>, Error> {
        let account = self.accounts.of(caller, |account| self.is_forgettable(account, now));
        self.count(&account, now)?;
        Ok(Arc::new(self.share_of(account)))
    }

    fn share_of(&self, account: Arc<Account>) -> Share {
        Share::new(Arc::clone(&self.budget), Arc::clone(&self.slots), account)
    }

    /// Counts one request. Fails with 429 if the caller has used up its rate.
    pub(crate) fn count(&self, account: &Account, now: Instant) -> Result<(), Error> {
        let Some(rate) = &self.rate else { return Ok(()) };
        rate.take(&account.spent, self.elapsed(now)).map_err(rate::too_many)
    }

    /// Charges what a request has cost until now beyond the unit that it was counted as: one unit for each
    /// 64 KiB of its body, of its answer and of what was looked at for it, and what its tool costs further. A
    /// caller goes into debt rather than that work is refused when it is done.
    pub(crate) fn charge(&self, share: &Share, now: Instant) {
        let units = share.uncharged(BYTES_PER_UNIT);
        if let Some(rate) = &self.rate
            && units > 0
        {
            rate.charge(&share.account().spent, units, self.elapsed(now));
        }
    }

    /// A place at work for a request whose body has arrived: a slow sender takes none.
    pub(crate) async fn begin(&self, share: &Arc<Share>) -> Result<Slot, Error> {
        Slot::take(share).await
    }

    /// The right to a stream.
    pub(crate) fn admit_stream(&self, share: &Share) -> Result<StreamPermit, Error> {
        self.streams.admit(share.account())
    }

    /// The bytes that are held for all callers together.
    pub(crate) fn bytes_in_flight(&self) -> Usage {
        self.budget.in_flight()
    }

    /// The requests of all callers that are at work.
    pub(crate) fn requests_at_work(&self) -> Usage {
        Usage { used: self.slots.used(), limit: MOST_AT_WORK }
    }

    /// The streams of all callers.
    pub(crate) fn open_streams(&self) -> Usage {
        self.streams.usage()
    }

    fn elapsed(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.started).as_nanos();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    }

    fn is_forgettable(&self, account: &Account, now: Instant) -> bool {
        self.rate.is_none() || rate::is_rested(&account.spent, self.elapsed(now))
    }
}
