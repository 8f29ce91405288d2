//! The repository.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use todo_application::domain::{
    CallerId, IdempotencyKey, Instant, Order, OtherWorkspace, Place, Quota, ReadPermit, Sort, Term,
    TermChange, TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Creation, CreationRequest, Filter, Head, IdsByTerm, InsertError, RemoveError,
    StorageError, StorageHealth, TodoRepository,
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
    /// The todos that have a term. No set is empty.
    terms: BTreeMap<Term, BTreeSet<TodoId>>,
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
            self.change_terms(todo.id(), TermChange::between(&before, todo));
        } else {
            self.change_terms(todo.id(), TermChange::adding(todo));
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
            self.change_terms(id, TermChange::removing(&removed));
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

    fn change_terms(&mut self, id: TodoId, TermChange { removed, added }: TermChange) {
        for term in removed {
            if let Entry::Occupied(mut of_term) = self.terms.entry(term) {
                of_term.get_mut().remove(&id);
                if of_term.get().is_empty() {
                    of_term.remove();
                }
            }
        }
        for term in added {
            self.terms.entry(term).or_default().insert(id);
        }
    }

    fn ids_by_term(
        &self,
        range: &TermRange,
        after: Option<TodoId>,
        limit: usize,
    ) -> Option<IdsByTerm> {
        let terms = || self.terms.range(range.bounds()).map(|(_, ids)| ids);
        let count = terms().take(IdsByTerm::MAX_TERMS + 1).count();
        let limit = IdsByTerm::limit_of_each(limit, count);
        let ids = |of_term: &BTreeSet<TodoId>| {
            let rest =
                of_term.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
            rest.take(limit).copied().collect()
        };
        (count <= IdsByTerm::MAX_TERMS).then(|| IdsByTerm::merge(terms().map(ids), limit))
    }

    fn list_by(&self, order: Order, filter: Filter, after: Place, limit: usize) -> Vec<Todo> {
        let places = Order::ALL.iter().position(|it| *it == order).unwrap_or_default();
        let [open, done] = &self.orders[places];
        let rest = |places: &'_ BTreeSet<Place>, wanted| -> Vec<Place> {
            let is_left_out = filter.completed.is_some_and(|completed| completed != wanted);
            let limit = if is_left_out { 0 } else { limit };
            let rest = places.range((Bound::Excluded(after), Bound::Unbounded));
            rest.take(limit).copied().collect()
        };
        let mut places = [rest(open, false), rest(done, true)].concat();
        places.sort_unstable();
        places.truncate(limit);
        places.iter().filter_map(|place| self.todos.get(&place.id)).cloned().collect()
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
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspaces = self.workspaces();
        let list = |workspace: &Workspace| workspace.list_by(order, filter, after, limit);
        Ok(workspaces.get(permit.workspace()).map_or_else(Vec::new, list))
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        let workspaces = self.workspaces();
        let Some(workspace) = workspaces.get(permit.workspace()) else { return Ok(Vec::new()) };
        let ids: BTreeSet<_> = ids.iter().collect();
        Ok(ids.into_iter().filter_map(|id| workspace.todos.get(id)).cloned().collect())
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        let workspaces = self.workspaces();
        let none = || Some(IdsByTerm::merge([], limit));
        let find = |workspace: &Workspace| workspace.ids_by_term(range, after, limit);
        Ok(workspaces.get(permit.workspace()).map_or_else(none, find))
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        let workspaces = self.workspaces();
        let terms = workspaces.get(permit.workspace()).map(|workspace| &workspace.terms);
        let terms = terms.into_iter().flat_map(|terms| terms.range(range.bounds()));
        Ok(terms.map(|(term, _)| term.clone()).take(limit).collect())
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
        before: &Todo,
        after: &Todo,
    ) -> Result<(), ChangeError> {
        after.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.get_mut(permit.workspace()).ok_or(ChangeError::Stale)?;
        match workspace.todos.get(&after.id()) {
            Some(stored) if stored.version() == before.version() => {
                workspace.head.admits_change(stored.bytes(), after, permit.quota())?;
                workspace.head.replace(stored.bytes(), after);
                workspace.put(after);
                Ok(())
            }
            _ => Err(ChangeError::Stale),
        }
    }

    async fn remove(&self, permit: &WritePermit, todo: &Todo) -> Result<(), RemoveError> {
        let mut workspaces = self.workspaces();
        let workspace = workspaces.get_mut(permit.workspace()).ok_or(RemoveError::Stale)?;
        match workspace.todos.get(&todo.id()) {
            Some(stored) if stored.version() == todo.version() => {
                workspace.remove(todo.id());
                Ok(())
            }
            _ => Err(RemoveError::Stale),
        }
    }
}

#[async_trait]
impl StorageHealth for MemoryTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
