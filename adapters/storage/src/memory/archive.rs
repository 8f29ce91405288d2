//! All todos in memory at once.

use std::num::NonZeroUsize;
use std::vec::IntoIter;

use async_trait::async_trait;
use todo_application::domain::{Instant, OperatorPermit, Todo, WorkspaceId};
use todo_application::ports::{Head, HistoryItem, Loaded, StorageError, TodoLoader, TodoSnapshot};

use super::repository::MemoryTodoRepository;
use super::workspace::Workspace;

/// A copy of all todos, sorted.
pub struct MemorySnapshot {
    count: u64,
    rest: IntoIter<Todo>,
    changes: u64,
    history: IntoIter<HistoryItem>,
}

impl MemoryTodoRepository {
    pub fn snapshot(&self) -> MemorySnapshot {
        let workspaces = self.workspaces();
        let mut todos: Vec<Todo> =
            workspaces.values().flat_map(|workspace| workspace.todos.values().cloned()).collect();
        let mut keys: Vec<_> = workspaces.keys().collect();
        keys.sort_unstable();
        let history: Vec<_> =
            keys.into_iter().flat_map(|key| history(key, &workspaces[key])).collect();
        drop(workspaces);
        todos.sort_unstable_by(|one, other| {
            (one.workspace(), one.id()).cmp(&(other.workspace(), other.id()))
        });
        let is_change = |item: &&HistoryItem| matches!(item, HistoryItem::Change { .. });
        MemorySnapshot {
            count: todos.len() as u64,
            rest: todos.into_iter(),
            changes: history.iter().filter(is_change).count() as u64,
            history: history.into_iter(),
        }
    }
}

fn history(key: &WorkspaceId, workspace: &Workspace) -> Vec<HistoryItem> {
    if workspace.changes.is_empty() {
        return Vec::new();
    }
    let Head { latest, forgotten, .. } = workspace.head;
    let head = HistoryItem::Head { workspace: key.clone(), latest, forgotten };
    let changes = workspace.changes.values().cloned();
    let changes = changes.map(|recorded| HistoryItem::Change { workspace: key.clone(), recorded });
    [head].into_iter().chain(changes).collect()
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

    async fn count_changes(&mut self, _: &OperatorPermit) -> Result<u64, StorageError> {
        Ok(self.changes)
    }

    async fn next_history(
        &mut self,
        _: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<HistoryItem>, StorageError> {
        Ok(self.history.by_ref().take(limit.get()).collect())
    }
}

#[async_trait]
impl TodoLoader for MemoryTodoRepository {
    async fn load(
        &self,
        _: &OperatorPermit,
        todos: Vec<Todo>,
        remembered_at: Option<Instant>,
    ) -> Result<Vec<Loaded>, StorageError> {
        let mut workspaces = self.workspaces();
        let load = |todo: Todo| {
            let workspace = workspaces.entry(todo.workspace().clone()).or_default();
            let stored = workspace.todos.get(&todo.id());
            if stored.is_some() {
                return Loaded::of_existing(&todo, stored);
            }
            workspace.load(&todo, remembered_at);
            Loaded::Added
        };
        Ok(todos.into_iter().map(load).collect())
    }

    async fn load_history(
        &self,
        _: &OperatorPermit,
        items: Vec<HistoryItem>,
    ) -> Result<Vec<Loaded>, StorageError> {
        let mut workspaces = self.workspaces();
        let load = |item| match item {
            HistoryItem::Head { workspace, latest, forgotten } => {
                workspaces.entry(workspace).or_default().head.adopt(latest, forgotten)
            }
            HistoryItem::Change { workspace, recorded } => {
                let workspace = workspaces.entry(workspace).or_default();
                match workspace.changes.get(&recorded.number) {
                    Some(stored) if *stored == recorded => Loaded::Same,
                    Some(_) => Loaded::Different,
                    None => {
                        workspace.head.add_change(&recorded);
                        workspace.changes.insert(recorded.number, recorded);
                        Loaded::Added
                    }
                }
            }
        };
        Ok(items.into_iter().map(load).collect())
    }
}
