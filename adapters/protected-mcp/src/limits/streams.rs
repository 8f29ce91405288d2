use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::account::Account;
use crate::jsonrpc::Error;

/// More than the windows that a person has open.
const MOST_STREAMS: usize = 16;

/// The right of a caller to one stream, until it is dropped.
pub(crate) struct StreamPermit(Arc<Account>);

impl StreamPermit {
    /// Admits one more stream of the caller, or fails with 429.
    pub(crate) fn take(account: Arc<Account>) -> Result<Self, Error> {
        let one_more = |open: usize| (open < MOST_STREAMS).then_some(open + 1);
        match account.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Self(account)),
            Err(_) => {
                let message = format!(
                    "You have {MOST_STREAMS} open streams already. Close one, or share one."
                );
                Err(Error::too_many(message, 1).with_log_code("too_many_streams"))
            }
        }
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
