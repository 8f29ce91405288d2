use std::collections::{BTreeMap, BTreeSet};

use todo_domain::{ChangeNumber, ClientId, Instant, TodoId};

use super::use_cases::Todos;
use crate::error::{KeptCause, UndoClientError, UndoError};
use crate::history_page::{ChangeEntry, ChangeSelection, HistoryPageSize, Since};
use crate::ports::Principal;

/// What came of taking back all that a client has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoneClient {
    /// How many changes were taken back.
    pub undone: usize,
    /// Those that were left as they are, and why.
    pub kept: Vec<(ChangeEntry, KeptCause)>,
}

impl Todos {
    /// Takes back what a client has changed in the caller's workspace since about an instant, newest first, except
    /// where others have changed the same fields since, to whatever values. A change that the client has taken
    /// back itself needs nothing. With `is_trial`, it counts what it would try, and changes nothing.
    ///
    /// Each change is taken back by itself: where this fails halfway, it may be called again.
    pub async fn undo_client(
        &self,
        principal: &dyn Principal,
        client: &ClientId,
        since: Instant,
        is_trial: bool,
    ) -> Result<UndoneClient, UndoClientError> {
        let all = self.changes_since(principal, since).await?;
        let of_client = |it: &ChangeEntry| it.recorded.change.by.client.as_ref() == Some(client);
        let (changes, others): (Vec<_>, Vec<_>) = all.into_iter().partition(of_client);
        let others = still_in_effect(others, &changes);
        let mut outcome = UndoneClient::default();
        for change in in_effect(changes).into_iter().rev() {
            if is_changed_since(&change, &others) {
                outcome.kept.push((change, KeptCause::Changed));
                continue;
            }
            if is_trial {
                outcome.undone += 1;
                continue;
            }
            match self.undo(principal, change.id).await {
                Ok(_) => outcome.undone += 1,
                Err(UndoError::Conflict(_) | UndoError::TodoDeleted(_)) => {
                    outcome.kept.push((change, KeptCause::Changed));
                }
                Err(UndoError::QuotaExceeded(exceeded)) => {
                    outcome.kept.push((change, exceeded.into()));
                }
                Err(UndoError::Contended) => outcome.kept.push((change, KeptCause::Contended)),
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
    async fn changes_since(
        &self,
        principal: &dyn Principal,
        since: Instant,
    ) -> Result<Vec<ChangeEntry>, UndoClientError> {
        let (mut changes, mut since) = (Vec::new(), Since::Instant(since));
        loop {
            let (all, size) = (ChangeSelection::default(), HistoryPageSize::LARGEST);
            let page = self.list_changes(principal, all, size, since).await?;
            changes.extend(page.changes);
            match page.next {
                Some(next) => since = Since::Cursor(next),
                None => return Ok(changes),
            }
        }
    }
}

/// The changes of others, by their todos, that are in effect and do not only take back one of the client's.
fn still_in_effect(
    others: Vec<ChangeEntry>,
    of_client: &[ChangeEntry],
) -> BTreeMap<TodoId, Vec<ChangeEntry>> {
    let numbers: BTreeSet<_> = of_client.iter().map(|it| it.recorded.number).collect();
    let takes_back = |it: &ChangeEntry| it.recorded.undoes.is_some_and(|it| numbers.contains(&it));
    let mut by_todo: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for other in others.into_iter().filter(|it| it.undone_by.is_none() && !takes_back(it)) {
        by_todo.entry(other.recorded.change.todo).or_default().push(other);
    }
    by_todo
}

fn is_changed_since(change: &ChangeEntry, others: &BTreeMap<TodoId, Vec<ChangeEntry>>) -> bool {
    let change = &change.recorded;
    let is_later = |other: &ChangeEntry| {
        other.recorded.number > change.number && other.recorded.change.overlaps(&change.change)
    };
    others.get(&change.change.todo).is_some_and(|others| others.iter().any(is_later))
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
