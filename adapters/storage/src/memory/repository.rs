//! The repository.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use todo_application::domain::{
    CallerId, IdempotencyKey, Instant, Order, OtherWorkspace, Place, Quota, ReadPermit, Sort, Todo,
    TodoId, Version, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Creation, CreationRequest, Filter, Head, InsertError, RemoveError, StorageError,
    StorageHealth, TodoRepository,
};

/// Keeps todos until it is dropped.
///
/// It behaves as the other adapters do, except that a write is only as durable as the process.
#[derive(Default)]
pub struct MemoryTodoRepository {
    // Held for map operations only, never across an await.
    workspaces: Mutex<HashMap<WorkspaceId, Workspace>>,
}

/// One workspace and its todos. `open` and `done` index them, so that the cost of a filtered page
/// depends on the page and not on what it skips.
#[derive(Default)]
pub(super) struct Workspace {
    head: Head,
    pub(super) todos: BTreeMap<TodoId, Todo>,
    open: BTreeSet<TodoId>,
    done: BTreeSet<TodoId>,
    /// The places of open and of done todos, in each order of [`Order::ALL`].
    orders: [[BTreeSet<Place>; 2]; 3],
    /// The creations by requests with a key, and when each is forgotten.
    creations: HashMap<(CallerId, IdempotencyKey), (Creation, Instant)>,
}

impl Workspace {
    /// Adds a todo whose id is free.
    pub(super) fn add(&mut self, todo: &Todo) {
        self.head.add(todo);
        self.put(todo);
    }

    fn put(&mut self, todo: &Todo) {
        if let Some(before) = self.todos.get(&todo.id()).cloned() {
            self.take_out_of_orders(&before);
        }
        for (order, places) in Order::ALL.into_iter().zip(&mut self.orders) {
            let is_done = usize::from(todo.completion().is_done());
            places[is_done].insert(Sort::By(order).place(todo));
        }
        let (index, other) = if todo.completion().is_done() {
            (&mut self.done, &mut self.open)
        } else {
            (&mut self.open, &mut self.done)
        };
        index.insert(todo.id());
        other.remove(&todo.id());
        self.todos.insert(todo.id(), todo.clone());
    }

    fn insert(&mut self, todo: &Todo, quota: Quota) -> Result<(), InsertError> {
        if self.todos.contains_key(&todo.id()) {
            return Err(InsertError::Duplicate(todo.id()));
        }
        self.head.admits(todo, quota)?;
        self.add(todo);
        Ok(())
    }

    fn remove(&mut self, id: TodoId) {
        if let Some(removed) = self.todos.remove(&id) {
            self.head.remove(removed.bytes());
            self.take_out_of_orders(&removed);
        }
        self.open.remove(&id);
        self.done.remove(&id);
    }

    fn take_out_of_orders(&mut self, todo: &Todo) {
        for (order, places) in Order::ALL.into_iter().zip(&mut self.orders) {
            let is_done = usize::from(todo.completion().is_done());
            places[is_done].remove(&Sort::By(order).place(todo));
        }
    }

    fn list_by(&self, order: Order, done: bool, after: Place, limit: usize) -> Vec<Todo> {
        let places = Order::ALL.iter().position(|it| *it == order).unwrap_or_default();
        let places = &self.orders[places][usize::from(done)];
        let places = places.range((Bound::Excluded(after), Bound::Unbounded)).take(limit);
        places.filter_map(|place| self.todos.get(&place.id)).cloned().collect()
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
    pub(super) fn workspaces(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Workspace>> {
        // No operation under the lock can stop halfway, so the maps are consistent.
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find_in(&self, workspace: &WorkspaceId, id: TodoId) -> Option<Todo> {
        self.workspaces().get(workspace)?.todos.get(&id).cloned()
    }
}

#[async_trait]
impl TodoRepository for MemoryTodoRepository {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        Ok(self.find_in(permit.workspace(), id))
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        Ok(self.find_in(permit.workspace(), id))
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspaces = self.workspaces();
        let workspace = workspaces.get(permit.workspace());
        Ok(workspace.map_or_else(Vec::new, |workspace| workspace.list(filter, after, limit)))
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        done: bool,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspaces = self.workspaces();
        let list = |workspace: &Workspace| workspace.list_by(order, done, after, limit);
        Ok(workspaces.get(permit.workspace()).map_or_else(Vec::new, list))
    }

    async fn insert(&self, permit: &WritePermit, todo: &Todo) -> Result<(), InsertError> {
        todo.check(permit)?;
        let mut workspaces = self.workspaces();
        workspaces.entry(permit.workspace().clone()).or_default().insert(todo, permit.quota())
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, InsertError> {
        todo.check(permit)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.entry(permit.workspace().clone()).or_default();
        workspace.creations.retain(|_, (_, forget_at)| *forget_at > todo.created_at());
        let CreationRequest { key, fingerprint, forget_at } = request.clone();
        let key = (permit.caller().clone(), key);
        if let Some((earlier, _)) = workspace.creations.get(&key) {
            return Ok(Some(*earlier));
        }
        workspace.insert(todo, permit.quota())?;
        let creation = Creation { todo: todo.id(), at: todo.created_at(), fingerprint };
        workspace.creations.insert(key, (creation, forget_at));
        Ok(None)
    }

    async fn save(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        expected: Version,
    ) -> Result<(), ChangeError> {
        todo.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.get_mut(permit.workspace()).ok_or(ChangeError::Stale)?;
        match workspace.todos.get(&todo.id()) {
            Some(stored) if stored.version() == expected => {
                workspace.head.admits_change(stored.bytes(), todo, permit.quota())?;
                workspace.head.replace(stored.bytes(), todo);
                workspace.put(todo);
                Ok(())
            }
            _ => Err(ChangeError::Stale),
        }
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, RemoveError> {
        let mut workspaces = self.workspaces();
        let Some(workspace) = workspaces.get_mut(permit.workspace()) else {
            return Ok(false);
        };
        let Some(stored) = workspace.todos.get(&id) else {
            return Ok(false);
        };
        if expected.is_some_and(|expected| expected != stored.version()) {
            return Err(RemoveError::Stale);
        }
        workspace.remove(id);
        Ok(true)
    }
}

#[async_trait]
impl StorageHealth for MemoryTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
