use std::future::Future;

use todo_application::domain::{
    Order, Place, Todo, TodoId, TodoRecord, Version, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Creation, CreationRequest, Filter, InsertError, Inserted, RemoveError,
    StorageError, TodoRepository,
};

use crate::sample::{read_permit, write_permit, write_permit_of};

/// A repository whose methods obtain the permit that each call needs. The workspaces are those of
/// [`workspace`](crate::workspace).
pub trait Permitted: TodoRepository {
    fn find_in(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> impl Future<Output = Result<Option<Todo>, StorageError>> + Send {
        let permit = read_permit(workspace);
        async move { self.find(&permit, id).await }
    }

    fn list_in(
        &self,
        workspace: &WorkspaceId,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Todo>, StorageError>> + Send {
        let permit = read_permit(workspace);
        async move { self.list(&permit, filter, after, limit).await }
    }

    fn list_in_by(
        &self,
        workspace: &WorkspaceId,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Todo>, StorageError>> + Send {
        let permit = read_permit(workspace);
        async move { self.list_by(&permit, order, filter, after, limit).await }
    }

    fn add(&self, todo: &Todo) -> impl Future<Output = Result<(), InsertError>> + Send {
        let permit = write_permit(todo.workspace());
        async move { self.insert(&permit, todo).await.map(drop) }
    }

    /// As the subject that creates the todo.
    fn add_once(
        &self,
        todo: &Todo,
        request: &CreationRequest,
    ) -> impl Future<Output = Result<Option<Creation>, InsertError>> + Send {
        let permit = write_permit_of(&todo.record().created_by, todo.workspace());
        async move { self.insert_once(&permit, todo, request).await.map(Inserted::earlier) }
    }

    fn replace(
        &self,
        todo: &Todo,
        expected: Version,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send {
        let permit = write_permit(todo.workspace());
        async move { self.replace_within(&permit, todo, expected).await }
    }

    /// What has another version than `expected` is replaced as if it had that.
    fn replace_within(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        expected: Version,
    ) -> impl Future<Output = Result<(), ChangeError>> + Send {
        async move {
            let before = self.find_for_update(permit, todo.id()).await?;
            let before = before.filter(|before| before.version() == expected);
            let before = before.unwrap_or_else(|| of_version(todo, expected));
            self.save(permit, &before, todo).await.map(drop)
        }
    }

    fn remove_from(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
        expected: Option<Version>,
    ) -> impl Future<Output = Result<bool, RemoveError>> + Send {
        let permit = write_permit(workspace);
        async move {
            while let Some(found) = self.find_for_update(&permit, id).await? {
                let before = expected.map_or_else(|| found.clone(), |it| of_version(&found, it));
                match self.remove(&permit, &before, before.updated_at()).await {
                    // Another was faster.
                    Err(RemoveError::Stale) if expected.is_none() => {}
                    removed => return removed.map(|_| true),
                }
            }
            Ok(false)
        }
    }
}

fn of_version(todo: &Todo, version: Version) -> Todo {
    Todo::restore(TodoRecord { version, ..todo.record().clone() }).unwrap_or_else(|_| todo.clone())
}

impl<R: TodoRepository + ?Sized> Permitted for R {}
