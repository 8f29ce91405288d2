//! The head of a workspace.

use todo_application::domain::{Todo, TodoId};

/// What a workspace is as a whole. Each write changes it together with what it writes.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The greatest [minted id](Todo::minted_id) that was ever added.
    last_id: Option<TodoId>,
}

impl Head {
    /// The last id, if a new todo would not sort after it.
    pub(super) fn is_ahead_of(&self, todo: &Todo) -> Option<TodoId> {
        self.last_id.filter(|last| todo.minted_id().is_some_and(|id| id <= *last))
    }

    pub(super) fn added(&mut self, todo: &Todo) {
        self.last_id = self.last_id.max(todo.minted_id());
    }
}
