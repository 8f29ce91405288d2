use std::collections::BTreeMap;

use todo_domain::{ChangeNumber, ClientId, Instant};

use super::use_cases::Todos;
use crate::error::{UndoClientError, UndoError};
use crate::history_page::{ChangeEntry, ChangeSelection, HistoryPageSize, Since};
use crate::ports::Principal;

/// What came of taking back all that a client has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoneClient {
    /// How many changes were taken back.
    pub undone: usize,
    /// Those that were left as they are, because of what has changed since or what the list may hold.
    pub kept: Vec<ChangeEntry>,
}

impl Todos {
    /// Takes back what a client has changed in the caller's workspace since about an instant, newest first, and
    /// leaves alone what others have changed since. A change that the client has taken back itself needs nothing.
    /// With `is_trial`, it counts what it would try, and changes nothing.
    ///
    /// Each change is taken back by itself: where this fails halfway, it may be called again.
    pub async fn undo_client(
        &self,
        principal: &dyn Principal,
        client: &ClientId,
        since: Instant,
        is_trial: bool,
    ) -> Result<UndoneClient, UndoClientError> {
        let changes = self.changes_of(principal, client, since).await?;
        let mut outcome = UndoneClient::default();
        for change in in_effect(changes).into_iter().rev() {
            if is_trial {
                outcome.undone += 1;
                continue;
            }
            match self.undo(principal, change.id).await {
                Ok(_) => outcome.undone += 1,
                Err(
                    UndoError::Conflict(_)
                    | UndoError::TodoDeleted(_)
                    | UndoError::QuotaExceeded(_)
                    | UndoError::Contended,
                ) => outcome.kept.push(change),
                // It is no longer remembered.
                Err(UndoError::NotFound) => {}
                Err(error @ (UndoError::Forbidden(_) | UndoError::Off | UndoError::Storage(_))) => {
                    return Err(error.into());
                }
            }
        }
        Ok(outcome)
    }

    /// Oldest first.
    async fn changes_of(
        &self,
        principal: &dyn Principal,
        client: &ClientId,
        since: Instant,
    ) -> Result<Vec<ChangeEntry>, UndoClientError> {
        let (mut changes, mut since) = (Vec::new(), Since::Instant(since));
        loop {
            let (all, size) = (ChangeSelection::default(), HistoryPageSize::LARGEST);
            let page = self.list_changes(principal, all, size, since).await?;
            let of_client =
                |it: &ChangeEntry| it.recorded.change.by.client.as_ref() == Some(client);
            changes.extend(page.changes.into_iter().filter(of_client));
            match (page.next, page.latest) {
                (Some(_), Some(latest)) => since = Since::Change(latest),
                _ => return Ok(changes),
            }
        }
    }
}

/// Those that are to be taken back, so that the client has changed nothing. Of a change, one that takes it back and
/// one that takes that back, only the last can be taken back: if they are an odd number, that undoes them all.
fn in_effect(changes: Vec<ChangeEntry>) -> Vec<ChangeEntry> {
    // How many of the client's changes, which take back each other, end with this one.
    let mut lengths: BTreeMap<ChangeNumber, usize> = BTreeMap::new();
    let is_in_effect = |change: &ChangeEntry| {
        let earlier = change.recorded.undoes.and_then(|undone| lengths.get(&undone));
        let length = earlier.copied().unwrap_or_default() + 1;
        lengths.insert(change.recorded.number, length);
        change.undone_by.is_none() && length % 2 == 1
    };
    changes.into_iter().filter(is_in_effect).collect()
}
