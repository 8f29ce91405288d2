use std::sync::Arc;

use todo_domain::{Denied, Instant, ReadAction};

use super::use_cases::Todos;
use crate::ports::{Changed, Changes, Clock, Principal};

/// The changes of one workspace, until the credential of the subscriber expires.
pub struct Watch {
    changes: Box<dyn Changes>,
    clock: Arc<dyn Clock>,
    expires_at: Instant,
}

impl Todos {
    /// Subscribes to the changes of the caller's workspace from now on, by any client. Requires
    /// the permission to list, which shows the same changes.
    pub fn watch(&self, principal: &dyn Principal) -> Result<Watch, Denied> {
        let permit = self.permit_to_read(principal, ReadAction::List)?;
        Ok(Watch {
            changes: self.changes.subscribe(&permit),
            clock: Arc::clone(&self.clock),
            expires_at: principal.expires_at(),
        })
    }
}

impl Watch {
    /// Waits for changes, and returns all since the last call. `None` once the credential has expired,
    /// also for changes before that which were not fetched in time.
    ///
    /// It does not return at the moment of expiry by itself, only with the next change.
    pub async fn next(&mut self) -> Option<Changed> {
        if self.has_expired() {
            return None;
        }
        let changed = self.changes.next().await;
        (!self.has_expired()).then_some(changed)
    }

    fn has_expired(&self) -> bool {
        self.clock.now() >= self.expires_at
    }
}
