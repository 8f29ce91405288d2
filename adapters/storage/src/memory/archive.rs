//! All todos in memory at once.

use std::num::NonZeroUsize;
use std::vec::IntoIter;

use async_trait::async_trait;
use todo_application::domain::{OperatorPermit, Todo};
use todo_application::ports::{Loaded, StorageError, TodoLoader, TodoSnapshot};

use super::repository::MemoryTodoRepository;

/// A copy of all todos, sorted.
pub struct MemorySnapshot {
    count: u64,
    rest: IntoIter<Todo>,
}

impl MemoryTodoRepository {
    pub fn snapshot(&self) -> MemorySnapshot {
        let workspaces = self.workspaces();
        let mut todos: Vec<Todo> =
            workspaces.values().flat_map(|workspace| workspace.todos.values().cloned()).collect();
        drop(workspaces);
        todos.sort_unstable_by(|one, other| {
            (one.workspace(), one.id()).cmp(&(other.workspace(), other.id()))
        });
        MemorySnapshot { count: todos.len() as u64, rest: todos.into_iter() }
    }
}

#[async_trait]
impl TodoSnapshot for MemorySnapshot {
    fn count(&self) -> u64 {
        self.count
    }

    async fn next_page(
        &mut self,
        _: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<Todo>, StorageError> {
        Ok(self.rest.by_ref().take(limit.get()).collect())
    }
}

#[async_trait]
impl TodoLoader for MemoryTodoRepository {
    async fn load(
        &self,
        _: &OperatorPermit,
        todos: Vec<Todo>,
    ) -> Result<Vec<Loaded>, StorageError> {
        let mut workspaces = self.workspaces();
        let load = |todo: Todo| {
            let workspace = workspaces.entry(todo.workspace().clone()).or_default();
            let stored = workspace.todos.get(&todo.id());
            if stored.is_some() {
                return Loaded::of_existing(&todo, stored);
            }
            workspace.add(&todo);
            Loaded::Added
        };
        Ok(todos.into_iter().map(load).collect())
    }
}
