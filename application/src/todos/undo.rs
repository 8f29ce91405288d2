use std::collections::BTreeMap;

use todo_domain::{
    Instant, Recorded, Reversal, ReversalError, Todo, TodoId, WriteAction, WritePermit,
};

use super::effect::Effects;
use super::use_cases::{ROUNDS, Todos};
use crate::change_id::ChangeId;
use crate::error::{StorageFailure, UndoError};
use crate::ports::{
    ChangeRef, PlannedWrite, Principal, TodoWrite, WriteRefusal, WriteSet, WriteSetError, Written,
};

/// The todos of the changes that were taken back, as they are then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    pub todos: Vec<Todo>,
    /// Those that do not exist.
    pub deleted: Vec<TodoId>,
    /// What was written, in the order of the writes.
    pub effects: Effects,
}

impl Todos {
    /// Takes back a change in the caller's workspace, or all that a call has made: exactly the fields that they
    /// touched. That is a change, too, and can be taken back.
    ///
    /// What is taken back already stays so: then nothing is changed. Of several changes, all are taken back or
    /// none. [`UndoError::Conflict`] if such a field has another value by now.
    pub async fn undo(&self, principal: &dyn Principal, id: ChangeId) -> Result<Undone, UndoError> {
        let permit = self.permit_to_write(principal, WriteAction::Undo)?;
        let history = self.history.as_deref().ok_or(UndoError::Off)?;
        let named = id.open(permit.workspace()).ok_or(UndoError::NotFound)?;
        for _ in 0..ROUNDS {
            let changes = history.find_changes(&permit, named).await;
            let changes = changes.map_err(StorageFailure::from)?;
            if changes.is_empty() {
                return Err(UndoError::NotFound);
            }
            let mut ids: Vec<TodoId> = changes.iter().map(|it| it.change.todo).collect();
            ids.sort_unstable();
            ids.dedup();
            let todos = self.repository.find_all_for_update(&permit, &ids).await;
            let todos = todos.map_err(StorageFailure::from)?;
            let mut todos: BTreeMap<_, _> = todos.into_iter().map(|it| (it.id(), it)).collect();
            let at = self.clock.now();
            let writes = reversals(&permit, &changes, &mut todos, at)?;
            let undone = |effects| Undone {
                deleted: ids.iter().filter(|id| !todos.contains_key(id)).copied().collect(),
                todos: todos.values().cloned().collect(),
                effects,
            };
            if writes.is_empty() {
                return Ok(undone(Effects::default()));
            }
            let is_batch = matches!(named, ChangeRef::Batch(_));
            let set = WriteSet { writes, at, is_batch, call: None, is_trial: false };
            match self.repository.write_all(&permit, &set).await {
                Ok(Written::Now(first)) => {
                    self.publish_writes(&permit, &set, None);
                    return Ok(undone(Effects::new(&permit, &set, first)));
                }
                // The call has no key.
                Ok(Written::Earlier(_)) => return Ok(undone(Effects::default())),
                Err(WriteSetError::Refused {
                    refusal: WriteRefusal::QuotaExceeded(error), ..
                }) => {
                    return Err(error.into());
                }
                // Another was faster.
                Err(WriteSetError::Refused { .. }) => {}
                Err(WriteSetError::Storage(error)) => {
                    self.publish_writes(&permit, &set, Some(&error));
                    return Err(StorageFailure::from(error).into());
                }
            }
        }
        Err(UndoError::Contended)
    }
}

/// What takes changes back, the last one first. The todos are afterwards as they will be then.
fn reversals(
    permit: &WritePermit,
    changes: &[Recorded],
    todos: &mut BTreeMap<TodoId, Todo>,
    at: Instant,
) -> Result<Vec<PlannedWrite>, UndoError> {
    let mut writes = Vec::with_capacity(changes.len());
    for recorded in changes.iter().rev().filter(|it| it.undone_by.is_none()) {
        let (change, todo) = (&recorded.change, recorded.change.todo);
        let reversal =
            change.reversal(permit, todos.get(&todo), at).map_err(|error| match error {
                ReversalError::Changed(current) => UndoError::Conflict(current),
                ReversalError::Deleted => UndoError::TodoDeleted(todo),
                ReversalError::Damaged(error) => {
                    UndoError::Storage(StorageFailure::Inconsistent(error.into()))
                }
            })?;
        let write = match reversal {
            Reversal::Save { before, after } => {
                todos.insert(todo, after.clone());
                TodoWrite::Save { before, after }
            }
            Reversal::Remove(removed) => {
                todos.remove(&todo);
                TodoWrite::Remove(removed)
            }
            Reversal::Restore(restored) => {
                todos.insert(todo, restored.clone());
                TodoWrite::Restore(restored)
            }
        };
        writes.push(PlannedWrite { write, undoes: Some(recorded.number) });
    }
    Ok(writes)
}
