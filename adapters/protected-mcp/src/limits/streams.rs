use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::account::Account;
use super::overload::{Scarce, overload};
use super::usage::Usage;
use crate::jsonrpc::Error;

/// More than the windows that a person has open.
const MOST_STREAMS_OF_A_CALLER: usize = 16;

/// Limits how many streams are open. Each keeps its connection, so all together may not have them all.
pub(super) struct StreamLimit {
    most: usize,
    open: Arc<AtomicUsize>,
}

/// The right of a caller to one stream, until it is dropped.
pub(crate) struct StreamPermit {
    account: Arc<Account>,
    open: Arc<AtomicUsize>,
}

impl StreamLimit {
    pub(super) fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    pub(super) fn usage(&self) -> Usage {
        Usage { used: self.open.load(Ordering::Relaxed), limit: self.most }
    }

    /// Admits one more stream of the caller, or fails with 429, or with 503 because of others.
    pub(super) fn admit(&self, account: &Arc<Account>) -> Result<StreamPermit, Error> {
        let own = &account.streams;
        if !is_one_more(own, MOST_STREAMS_OF_A_CALLER) {
            let message = format!(
                "You have {MOST_STREAMS_OF_A_CALLER} open streams already. Close one, or share one."
            );
            return Err(Error::too_many(message, 1).with_log_code("too_many_streams"));
        }
        if !is_one_more(&self.open, self.most) {
            own.fetch_sub(1, Ordering::Relaxed);
            return Err(overload(Scarce::Streams));
        }
        Ok(StreamPermit { account: Arc::clone(account), open: Arc::clone(&self.open) })
    }
}

/// Counts one more unless there are `most`, and returns whether it did.
fn is_one_more(open: &AtomicUsize, most: usize) -> bool {
    let one_more = |open: usize| (open < most).then_some(open + 1);
    open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.account.streams.fetch_sub(1, Ordering::Relaxed);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_caller_has_a_few_streams_and_all_together_as_many_as_leave_room() {
        let limit = StreamLimit::new(40);
        let callers: [Arc<Account>; 3] = Default::default();
        let mut open = Vec::new();
        for (caller, admitted, refused) in [
            (&callers[0], 16, StatusCode::TOO_MANY_REQUESTS),
            (&callers[1], 16, StatusCode::TOO_MANY_REQUESTS),
            (&callers[2], 8, StatusCode::SERVICE_UNAVAILABLE),
        ] {
            open.extend((0..admitted).map(|_| limit.admit(caller).unwrap()));
            assert_eq!(limit.admit(caller).err().unwrap().status(), refused);
        }
        open.remove(0);
        assert!(limit.admit(&callers[2]).is_ok());
        drop(open);
        assert_eq!(limit.open.load(Ordering::Relaxed), 0);
        assert!(callers.iter().all(|caller| caller.streams.load(Ordering::Relaxed) == 0));
    }
}
