use todo_domain::{Change, ChangeNumber, Quota, QuotaExceeded, Recorded, Todo, TodoId};

use super::storage_error::InsertError;
use super::todo_archive::Loaded;

/// What a workspace is as a whole. A store changes it in the transaction of each write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The number of todos.
    pub todos: u64,
    /// The [bytes](Todo::bytes) of their texts.
    pub bytes: u64,
    /// The greatest [minted id](Todo::minted_id) that was ever added.
    pub last_id: Option<TodoId>,
    /// The number of the last write that changed something.
    pub latest: ChangeNumber,
    /// The greatest number of a write that is not remembered.
    pub forgotten: ChangeNumber,
    /// The number of deletions that are remembered and not undone.
    pub deleted: u64,
    /// The [bytes](Change::bytes) of the changes that are remembered.
    pub history_bytes: u64,
}

/// Why a workspace does not take a new todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// See [`InsertError::Behind`].
    Behind(TodoId),
    QuotaExceeded(QuotaExceeded),
}

impl Head {
    /// Whether the workspace takes a new todo, and what is remembered of its creation. Stores that decide this
    /// in a statement ask here which of the reasons it was.
    pub fn admits(
        &self,
        todo: &Todo,
        change: Option<&Change>,
        quota: Quota,
    ) -> Result<(), Refusal> {
        if let Some(last) = self.last_id
            && todo.minted_id().is_some_and(|id| id <= last)
        {
            return Err(Refusal::Behind(last));
        }
        let bytes = self.total_bytes().saturating_add(todo.bytes() + bytes_of(change));
        let todos = self.todos.saturating_add(self.deleted).saturating_add(1);
        quota.admits(todos, bytes).map_err(Refusal::QuotaExceeded)
    }

    /// Whether the workspace takes a change of a todo whose texts had `before` bytes.
    pub fn admits_change(
        &self,
        before: u64,
        todo: &Todo,
        change: Option<&Change>,
        quota: Quota,
    ) -> Result<(), QuotaExceeded> {
        let others = self.total_bytes().saturating_sub(before);
        let bytes = others.saturating_add(todo.bytes());
        if todo.bytes() > before {
            return quota.admits_bytes(bytes + bytes_of(change));
        }
        match change {
            None => Ok(()),
            Some(change) => quota.admits_bytes_with_reserve(bytes + change.bytes()),
        }
    }

    /// Whether the workspace takes back a todo that was deleted.
    pub fn admits_restoring(
        &self,
        todo: &Todo,
        change: Option<&Change>,
        quota: Quota,
    ) -> Result<(), QuotaExceeded> {
        let bytes = self.total_bytes().saturating_add(todo.bytes() + bytes_of(change));
        quota.admits_bytes_with_reserve(bytes)
    }

    /// Whether changes are remembered. Each has [bytes](Change::bytes).
    pub fn has_changes(&self) -> bool {
        self.history_bytes > 0
    }

    fn total_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.history_bytes)
    }

    /// Counts a new todo.
    pub fn add(&mut self, todo: &Todo) {
        self.todos += 1;
        self.bytes += todo.bytes();
        self.last_id = self.last_id.max(todo.minted_id());
    }

    /// Counts a change of a todo whose texts had `before` bytes.
    pub fn replace(&mut self, before: u64, todo: &Todo) {
        self.bytes = self.bytes.saturating_sub(before) + todo.bytes();
    }

    /// Counts the removal of a todo whose texts had so many bytes.
    pub fn remove(&mut self, bytes: u64) {
        self.todos = self.todos.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Counts a write, and returns the number of its change, which is remembered if there is one.
    pub fn count(&mut self, change: Option<&Change>) -> ChangeNumber {
        self.latest = self.latest.plus(1);
        match change {
            None => self.forgotten = self.latest,
            Some(change) => {
                self.history_bytes += change.bytes();
                self.deleted += u64::from(change.is_deletion());
            }
        }
        self.latest
    }

    /// Counts that a deletion is undone.
    pub fn undo_deletion(&mut self) {
        self.deleted = self.deleted.saturating_sub(1);
    }

    /// Makes this head that of a history that was remembered elsewhere, and says whether its changes may be added:
    /// those of a workspace that remembers others may not.
    pub fn adopt(&mut self, latest: ChangeNumber, forgotten: ChangeNumber) -> Loaded {
        if !self.has_changes() {
            self.latest = self.latest.max(latest);
            self.forgotten = forgotten;
            Loaded::Added
        } else if self.forgotten == forgotten && self.latest >= latest {
            Loaded::Same
        } else {
            Loaded::Different
        }
    }

    /// Counts a change that was remembered elsewhere.
    pub fn add_change(&mut self, recorded: &Recorded) {
        let Recorded { change, undone_by, .. } = recorded;
        self.history_bytes += change.bytes();
        self.deleted += u64::from(change.is_deletion() && undone_by.is_none());
    }

    /// Counts that the changes until this number are no longer remembered: so many bytes, and so many deletions
    /// that were not undone.
    pub fn forget(&mut self, until: ChangeNumber, bytes: u64, deletions: u64) {
        self.forgotten = self.forgotten.max(until);
        self.history_bytes = self.history_bytes.saturating_sub(bytes);
        self.deleted = self.deleted.saturating_sub(deletions);
    }
}

fn bytes_of(change: Option<&Change>) -> u64 {
    change.map_or(0, Change::bytes)
}

impl From<Refusal> for InsertError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Behind(last) => Self::Behind(last),
            Refusal::QuotaExceeded(exceeded) => Self::QuotaExceeded(exceeded),
        }
    }
}
