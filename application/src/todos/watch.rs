use std::sync::Arc;
use std::time::Duration;

use todo_domain::{Action, Instant};

use super::Todos;
use crate::error::UseCaseError;
use crate::ports::{Changed, Changes, Clock, Principal};

/// Word of changes to the todos of one workspace, for as long as the credential is good that it was
/// asked for with.
pub struct Watch {
    changes: Box<dyn Changes>,
    clock: Arc<dyn Clock>,
    expires_at: Instant,
}

impl Todos {
    /// Watches the caller's workspace from now on: changes made by anyone, through any connection.
    /// Needs the permission to list, which would show the same.
    pub fn watch(&self, principal: &dyn Principal) -> Result<Watch, UseCaseError> {
        let permit = self.permit(principal, Action::List)?;
        Ok(Watch {
            changes: self.changes.subscribe(permit.workspace()),
            clock: Arc::clone(&self.clock),
            expires_at: principal.expires_at(),
        })
    }
}

impl Watch {
    /// What has changed since the last call; waits until something has. `None` once the credential
    /// is no longer good: what changed then is no longer the caller's business.
    ///
    /// It does not wake up for that by itself: see [`Watch::expires_in`].
    pub async fn next(&mut self) -> Option<Changed> {
        if self.expires_in().is_zero() {
            return None;
        }
        let changed = self.changes.next().await;
        (!self.expires_in().is_zero()).then_some(changed)
    }

    /// For how much longer the credential is good; zero when it no longer is.
    pub fn expires_in(&self) -> Duration {
        let millis = self.expires_at.as_unix_millis() - self.clock.now().as_unix_millis();
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}
