//! All todos in memory at once.

use std::num::NonZeroUsize;
use std::vec::IntoIter;

use async_trait::async_trait;
use todo_application::domain::Todo;
use todo_application::ports::{Loaded, StorageError, TodoLoader, TodoSnapshot};

use super::MemoryTodoRepository;

/// A copy of all todos, in their order.
pub struct MemorySnapshot {
    count: u64,
    rest: IntoIter<Todo>,
}

impl MemoryTodoRepository {
    /// What is there now.
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

    async fn next_page(&mut self, limit: NonZeroUsize) -> Result<Vec<Todo>, StorageError> {
        Ok(self.rest.by_ref().take(limit.get()).collect())
    }
}

#[async_trait]
impl TodoLoader for MemoryTodoRepository {
    async fn load(&self, todos: Vec<Todo>) -> Result<Vec<Loaded>, StorageError> {
        let mut workspaces = self.workspaces();
        let load = |todo: Todo| {
            let workspace = workspaces.entry(todo.workspace().clone()).or_default();
            match workspace.todos.get(&todo.id()) {
                None => {
                    workspace.put(&todo);
                    Loaded::Added
                }
                Some(stored) if *stored == todo => Loaded::Same,
                Some(_) => Loaded::Different,
            }
        };
        Ok(todos.into_iter().map(load).collect())
    }
}
