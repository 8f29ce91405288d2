//! How many streams one caller may keep open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use todo_application::domain::Subject;

/// More than the windows that a person has open, and few enough to be nobody's burden.
pub(super) const MOST_STREAMS: usize = 16;

/// Who has how many streams.
#[derive(Clone, Default)]
pub(crate) struct StreamLimit(Arc<Mutex<HashMap<Subject, usize>>>);

impl StreamLimit {
    /// One more stream for the subject, if it may have one.
    pub(super) fn take(&self, subject: &Subject) -> Option<StreamPermit> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = taken.entry(subject.clone()).or_default();
        if *streams == MOST_STREAMS {
            return None;
        }
        *streams += 1;
        Some(StreamPermit { subject: subject.clone(), limit: self.clone() })
    }
}

/// The right to one stream, which is free again when this is dropped.
pub(super) struct StreamPermit {
    subject: Subject,
    limit: StreamLimit,
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut taken = self.limit.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(streams) = taken.get_mut(&self.subject) {
            *streams -= 1;
            if *streams == 0 {
                taken.remove(&self.subject);
            }
        }
    }
}
