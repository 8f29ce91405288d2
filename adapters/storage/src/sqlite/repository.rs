//! The repository.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;
use todo_application::domain::{
    Order, OtherWorkspace, Place, ReadPermit, Term, TermChange, TermRange, Todo, TodoId,
    WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, Creation, CreationRequest, Filter, IdsByTerm, InsertError, RemoveError,
    StorageError, StorageHealth, TodoRepository, in_one_line,
};
use tokio::time::timeout;

use super::failure::{log_truncated, unavailable};
use super::files::Files;
use super::lock::Lock;
use super::open::{self, Opened};
use super::open_error::OpenError;
use super::readers::Readers;
use super::write::{Outcome, Write};
use super::writer::Writer;
use super::{queries, terms};

/// How long a health check waits. The port promises a result within a second.
const PROBE_TIME: Duration = Duration::from_millis(900);

/// Keeps todos in one SQLite file that no other process uses at the same time.
///
/// Its methods need a Tokio runtime with time enabled. Cancelling a write leaves its outcome unknown and
/// has no other effect. Dropping the repository blocks until the queued writes are on disk.
pub struct SqliteTodoRepository {
    // Dropped in this order: end the reads, write what is queued and close the file, release the lock.
    readers: Readers,
    writer: Writer,
    files: Arc<Files>,
    _lock: Lock,
}

impl SqliteTodoRepository {
    /// Opens the database at `path`, which is created if it does not exist, and migrates it to the
    /// current schema. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let Opened { readers, writer, files, lock } = open::server(path)?;
        Ok(Self { readers, writer, files, _lock: lock })
    }
}

#[async_trait]
impl TodoRepository for SqliteTodoRepository {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        self.find_in(permit.workspace(), id).await
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        self.find_in(permit.workspace(), id).await
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspace = permit.workspace().clone();
        self.readers
            .read(move |connection| queries::list(connection, &workspace, filter, after, limit))
            .await
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspace = permit.workspace().clone();
        let list = move |connection: &Connection| {
            queries::list_by(connection, &workspace, order, filter, after, limit)
        };
        self.readers.read(list).await
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        let (workspace, mut ids) = (permit.workspace().clone(), ids.to_vec());
        ids.sort_unstable();
        ids.dedup();
        let find = move |connection: &Connection| queries::find_all(connection, &workspace, &ids);
        self.readers.read(find).await
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        let (workspace, range) = (permit.workspace().clone(), range.clone());
        let find =
            move |connection: &Connection| terms::ids(connection, &workspace, &range, after, limit);
        self.readers.read(find).await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        let (workspace, range) = (permit.workspace().clone(), range.clone());
        let find =
            move |connection: &Connection| terms::find(connection, &workspace, &range, limit);
        self.readers.read(find).await
    }

    async fn insert(&self, permit: &WritePermit, todo: &Todo) -> Result<(), InsertError> {
        todo.check(permit)?;
        let (todo_of_write, terms) = (todo.clone(), TermChange::adding(todo));
        let write = Write::Insert { todo: todo_of_write, terms, quota: permit.quota() };
        let outcome = self.writer.write(write).await?;
        inserted(todo, outcome).map(drop)
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, InsertError> {
        todo.check(permit)?;
        let (caller, request) = (permit.caller().key(), request.clone());
        let (todo_of_write, terms) = (todo.clone(), TermChange::adding(todo));
        let quota = permit.quota();
        let write = Write::InsertOnce { caller, todo: todo_of_write, terms, request, quota };
        inserted(todo, self.writer.write(write).await?)
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<(), ChangeError> {
        after.check(permit).map_err(|OtherWorkspace| ChangeError::Stale)?;
        let write = Write::Save {
            before: before.into(),
            todo: after.clone(),
            terms: TermChange::between(before, after),
            quota: permit.quota(),
        };
        match self.writer.write(write).await? {
            Outcome::Stale => Err(ChangeError::Stale),
            Outcome::TooLong(exceeded) => Err(exceeded.into()),
            Outcome::Done | Outcome::Duplicate | Outcome::Refused(_) | Outcome::Earlier(_) => {
                Ok(())
            }
        }
    }

    async fn remove(&self, permit: &WritePermit, todo: &Todo) -> Result<(), RemoveError> {
        let write = Write::Remove {
            workspace: permit.workspace().clone(),
            id: todo.id(),
            before: todo.into(),
            terms: TermChange::removing(todo),
        };
        match self.writer.write(write).await? {
            Outcome::Stale => Err(RemoveError::Stale),
            Outcome::Done
            | Outcome::Duplicate
            | Outcome::Refused(_)
            | Outcome::TooLong(_)
            | Outcome::Earlier(_) => Ok(()),
        }
    }
}

/// The answer to an insertion.
fn inserted(todo: &Todo, outcome: Outcome) -> Result<Option<Creation>, InsertError> {
    match outcome {
        Outcome::Done | Outcome::Stale | Outcome::TooLong(_) => Ok(None),
        Outcome::Earlier(creation) => Ok(Some(creation)),
        Outcome::Duplicate => Err(InsertError::Duplicate(todo.id())),
        Outcome::Refused(refusal) => Err(refusal.into()),
    }
}

impl SqliteTodoRepository {
    async fn find_in(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        let workspace = workspace.clone();
        self.readers.read(move |connection| queries::find(connection, &workspace, id)).await
    }
}

#[async_trait]
impl StorageHealth for SqliteTodoRepository {
    async fn check(&self) -> Result<(), StorageError> {
        if !self.writer.is_alive() {
            return Err(unavailable("the database's writer has stopped"));
        }
        if !self.files.are_in_place() {
            return Err(unavailable("the database file has been moved or removed"));
        }
        if self.files.is_truncated() {
            return Err(log_truncated());
        }
        let probe = async {
            let failed = |verb: &str, error: StorageError| {
                let cause = error.source().map_or_else(String::new, in_one_line);
                unavailable(format!("the database cannot be {verb}: {cause}"))
            };
            self.readers.read(queries::probe).await.map_err(|error| failed("read", error))?;
            self.writer.probe().await.map_err(|error| failed("written", error))
        };
        let late = |_| Err(unavailable("the database does not answer in time"));
        timeout(PROBE_TIME, probe).await.unwrap_or_else(late)
    }
}

#[cfg(test)]
mod tests;
