use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::jsonrpc::Error;
use crate::oauth::Caller;
use crate::record::RequestRecord;

/// More than the windows that a person has open.
const MOST_STREAMS: usize = 16;

/// Limits how many streams one caller may keep open.
#[derive(Clone, Default)]
pub(crate) struct StreamLimit(Arc<Mutex<HashMap<Arc<str>, usize>>>);

impl StreamLimit {
    /// Admits one more stream of the caller, or fails with 429.
    pub(crate) fn take(
        &self,
        caller: &Caller,
        record: &mut RequestRecord,
    ) -> Result<StreamPermit, Error> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = open.entry(Arc::clone(caller.subject())).or_default();
        if *streams == MOST_STREAMS {
            record.code("too_many_streams");
            let message =
                format!("You have {MOST_STREAMS} open streams already. Close one, or share one.");
            return Err(Error::too_many(message, 1));
        }
        *streams += 1;
        Ok(StreamPermit { subject: Arc::clone(caller.subject()), limit: self.clone() })
    }
}

/// The right to one stream, until it is dropped.
pub(crate) struct StreamPermit {
    subject: Arc<str>,
    limit: StreamLimit,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = open.get_mut(&self.subject) {
            *streams -= 1;
            if *streams == 0 {
                open.remove(&self.subject);
            }
        }
    }
}
