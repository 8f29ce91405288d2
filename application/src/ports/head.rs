use todo_domain::{Quota, QuotaExceeded, Todo, TodoId};

use super::storage_error::InsertError;

/// What a workspace is as a whole. A store changes it in the transaction of each write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The number of todos.
    pub todos: u64,
    /// The [bytes](Todo::bytes) of their texts.
    pub bytes: u64,
    /// The greatest [minted id](Todo::minted_id) that was ever added.
    pub last_id: Option<TodoId>,
}

/// Why a workspace does not take a new todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// See [`InsertError::Behind`].
    Behind(TodoId),
    QuotaExceeded(QuotaExceeded),
}

impl Head {
    /// Whether the workspace takes a new todo. Stores that decide this in a statement ask here which of
    /// the reasons it was.
    pub fn admits(&self, todo: &Todo, quota: Quota) -> Result<(), Refusal> {
        if let Some(last) = self.last_id
            && todo.minted_id().is_some_and(|id| id <= last)
        {
            return Err(Refusal::Behind(last));
        }
        let bytes = self.bytes.saturating_add(todo.bytes());
        quota.admits(self.todos.saturating_add(1), bytes).map_err(Refusal::QuotaExceeded)
    }

    /// Whether the workspace takes a change of a todo whose texts had `before` bytes.
    pub fn admits_change(
        &self,
        before: u64,
        todo: &Todo,
        quota: Quota,
    ) -> Result<(), QuotaExceeded> {
        let others = self.bytes.saturating_sub(before);
        quota.admits_change(self.bytes, others.saturating_add(todo.bytes()))
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
}

impl From<Refusal> for InsertError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Behind(last) => Self::Behind(last),
            Refusal::QuotaExceeded(exceeded) => Self::QuotaExceeded(exceeded),
        }
    }
}
