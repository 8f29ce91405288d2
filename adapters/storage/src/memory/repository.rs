//! The repository.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use todo_application::domain::{
    ChangeNumber, IdempotencyKey, Instant, Order, OtherWorkspace, Place, ReadPermit, Term,
    TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, CreationRequest, EarlierCall, Filter, IdsByTerm, InsertError, Inserted,
    RemoveError, StorageError, StorageHealth, TodoRepository, TodoWrite, WriteRefusal, WriteSet,
    WriteSetError, Written,
};

use super::workspace::Workspace;

/// Keeps todos until it is dropped.
///
/// It behaves as the other adapters do, except that a write is only as durable as the process.
#[derive(Default)]
pub struct MemoryTodoRepository {
    // Held for map operations only, never across an await.
    workspaces: Mutex<HashMap<WorkspaceId, Workspace>>,
}

impl MemoryTodoRepository {
    pub(super) fn workspaces(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Workspace>> {
        // No operation under the lock can stop halfway, so the maps are consistent.
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find_in(&self, workspace: &WorkspaceId, id: TodoId) -> Option<Todo> {
        self.workspaces().get(workspace)?.todos.get(&id).cloned()
    }

    fn find_all_in(&self, workspace: &WorkspaceId, ids: &[TodoId]) -> Vec<Todo> {
        let workspaces = self.workspaces();
        let Some(workspace) = workspaces.get(workspace) else { return Vec::new() };
        let ids: BTreeSet<_> = ids.iter().collect();
        ids.into_iter().filter_map(|id| workspace.todos.get(id)).cloned().collect()
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
        Ok(self.find_all_in(permit.workspace(), ids))
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        let workspaces = self.workspaces();
        let none = || Some(IdsByTerm::merge([], limit));
        let find = |workspace: &Workspace| workspace.ids_by_term(ranges, after, limit);
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

    async fn insert(
        &self,
        permit: &WritePermit,
        todo: &Todo,
    ) -> Result<Option<ChangeNumber>, InsertError> {
        todo.check(permit)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.entry(permit.workspace().clone()).or_default();
        let planned = TodoWrite::Insert { todo: todo.clone(), request: None };
        workspace
            .write(permit, &planned, None, todo.created_at())
            .map_err(|refusal| refusal_of_insertion(todo, &refusal))
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Inserted, InsertError> {
        todo.check(permit)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.entry(permit.workspace().clone()).or_default();
        let planned = TodoWrite::Insert { todo: todo.clone(), request: Some(request.clone()) };
        match workspace.write(permit, &planned, None, todo.created_at()) {
            Ok(number) => Ok(Inserted::Now(number)),
            Err(WriteRefusal::Earlier(earlier)) => Ok(Inserted::Earlier(earlier.into())),
            Err(refusal) => Err(refusal_of_insertion(todo, &refusal)),
        }
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError> {
        after.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.get_mut(permit.workspace()).ok_or(ChangeError::Stale)?;
        let planned = TodoWrite::Save { before: before.clone(), after: after.clone() };
        workspace.write(permit, &planned, None, after.updated_at()).map_err(|refusal| match refusal
        {
            WriteRefusal::QuotaExceeded(exceeded) => exceeded.into(),
            WriteRefusal::Stale
            | WriteRefusal::Duplicate
            | WriteRefusal::Behind(_)
            | WriteRefusal::Earlier(_) => ChangeError::Stale,
        })
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError> {
        let mut workspaces = self.workspaces();
        let workspace = workspaces.get_mut(permit.workspace()).ok_or(RemoveError::Stale)?;
        let planned = TodoWrite::Remove(todo.clone());
        workspace.write(permit, &planned, None, at).map_err(|_| RemoveError::Stale)
    }

    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        Ok(self.find_all_in(permit.workspace(), ids))
    }

    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        let workspaces = self.workspaces();
        let workspace = workspaces.get(permit.workspace());
        Ok(workspace.and_then(|workspace| workspace.earlier(permit, key, now)))
    }

    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        set.check(permit)?;
        let mut workspaces = self.workspaces();
        let workspace = workspaces.entry(permit.workspace().clone()).or_default();
        workspace.write_all(permit, set)
    }
}

fn refusal_of_insertion(todo: &Todo, refusal: &WriteRefusal) -> InsertError {
    match refusal {
        WriteRefusal::Behind(last) => InsertError::Behind(*last),
        WriteRefusal::QuotaExceeded(exceeded) => (*exceeded).into(),
        WriteRefusal::Stale | WriteRefusal::Duplicate | WriteRefusal::Earlier(_) => {
            InsertError::Duplicate(todo.id())
        }
    }
}

#[async_trait]
impl StorageHealth for MemoryTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
