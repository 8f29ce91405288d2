//! Todos in memory: for trying things out, and for tests that need no file.

mod archive;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use todo_application::domain::{
    IdempotencyKey, Instant, Subject, Todo, TodoId, Version, WorkspaceId,
};
use todo_application::ports::{
    Creation, CreationRequest, Filter, NotReady, Readiness, StorageError, TodoRepository,
};

pub use archive::MemorySnapshot;

/// Keeps todos as long as it lives.
///
/// Its answers are those of the other adapters, except that a write is only as durable as the
/// process.
#[derive(Default)]
pub struct MemoryTodoRepository {
    // Held for map operations only, never across an await.
    workspaces: Mutex<HashMap<WorkspaceId, Workspace>>,
}

/// The todos of one workspace. `open` and `done` say again which is which, so that a filtered page
/// costs what it holds and not what it skips.
#[derive(Default)]
struct Workspace {
    todos: BTreeMap<TodoId, Todo>,
    open: BTreeSet<TodoId>,
    done: BTreeSet<TodoId>,
    /// What is remembered of requests, and when it is forgotten.
    creations: HashMap<(Subject, IdempotencyKey), (Creation, Instant)>,
}

impl Workspace {
    fn put(&mut self, todo: &Todo) {
        let (now_in, no_longer_in) = if todo.completion().is_done() {
            (&mut self.done, &mut self.open)
        } else {
            (&mut self.open, &mut self.done)
        };
        now_in.insert(todo.id());
        no_longer_in.remove(&todo.id());
        self.todos.insert(todo.id(), todo.clone());
    }

    fn remove(&mut self, id: TodoId) {
        self.todos.remove(&id);
        self.open.remove(&id);
        self.done.remove(&id);
    }

    fn list(&self, filter: Filter, after: Option<TodoId>, limit: usize) -> Vec<Todo> {
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let selected = match filter.completed {
            None => {
                let todos = self.todos.range(range).map(|(_, todo)| todo);
                return todos.take(limit).cloned().collect();
            }
            Some(false) => &self.open,
            Some(true) => &self.done,
        };
        let ids = selected.range(range).take(limit);
        ids.filter_map(|id| self.todos.get(id)).cloned().collect()
    }
}

impl MemoryTodoRepository {
    fn workspaces(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Workspace>> {
        // Nothing that is done under the lock can stop halfway, so what it guards is sound.
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TodoRepository for MemoryTodoRepository {
    async fn find(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        let workspaces = self.workspaces();
        let workspace = workspaces.get(workspace);
        Ok(workspace.and_then(|workspace| workspace.todos.get(&id).cloned()))
    }

    async fn list(
        &self,
        workspace: &WorkspaceId,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspaces = self.workspaces();
        let workspace = workspaces.get(workspace);
        Ok(workspace.map_or_else(Vec::new, |workspace| workspace.list(filter, after, limit)))
    }

    async fn insert(&self, todo: &Todo) -> Result<(), StorageError> {
        let mut workspaces = self.workspaces();
        let workspace = workspaces.entry(todo.workspace().clone()).or_default();
        if workspace.todos.contains_key(&todo.id()) {
            return Err(StorageError::Duplicate(todo.id()));
        }
        workspace.put(todo);
        Ok(())
    }

    async fn insert_once(
        &self,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, StorageError> {
        let mut workspaces = self.workspaces();
        let workspace = workspaces.entry(todo.workspace().clone()).or_default();
        workspace.creations.retain(|_, (_, forget_at)| *forget_at > todo.created_at());
        let name = (todo.record().created_by.clone(), request.key.clone());
        if let Some((earlier, _)) = workspace.creations.get(&name) {
            return Ok(Some(*earlier));
        }
        if workspace.todos.contains_key(&todo.id()) {
            return Err(StorageError::Duplicate(todo.id()));
        }
        workspace.put(todo);
        let fingerprint = request.fingerprint;
        let creation = Creation { todo: todo.id(), at: todo.created_at(), fingerprint };
        workspace.creations.insert(name, (creation, request.forget_at));
        Ok(None)
    }

    async fn save(&self, todo: &Todo, expected: Version) -> Result<(), StorageError> {
        let mut workspaces = self.workspaces();
        let Some(workspace) = workspaces.get_mut(todo.workspace()) else {
            return Err(StorageError::StaleVersion);
        };
        match workspace.todos.get(&todo.id()) {
            Some(stored) if stored.version() == expected => {
                workspace.put(todo);
                Ok(())
            }
            _ => Err(StorageError::StaleVersion),
        }
    }

    async fn remove(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StorageError> {
        let mut workspaces = self.workspaces();
        let Some(home) = workspaces.get_mut(workspace) else {
            return Ok(false);
        };
        let Some(stored) = home.todos.get(&id) else {
            return Ok(false);
        };
        if expected.is_some_and(|expected| expected != stored.version()) {
            return Err(StorageError::StaleVersion);
        }
        home.remove(id);
        if home.todos.is_empty() && home.creations.is_empty() {
            workspaces.remove(workspace);
        }
        Ok(true)
    }
}

#[async_trait]
impl Readiness for MemoryTodoRepository {
    fn name(&self) -> &'static str {
        "storage"
    }

    async fn ready(&self) -> Result<(), NotReady> {
        Ok(())
    }
}
