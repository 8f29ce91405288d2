//! Todos in an SQLite file: the embedded default.
//!
//! One thread owns the only connection that writes and commits what is queued in groups; reads have
//! connections of their own and, thanks to the write-ahead log, never wait for it.

mod anchor;
mod backup;
mod checkpoints;
mod creations;
mod files;
mod loader;
mod open;
mod open_error;
mod queries;
mod readers;
mod row;
mod schema;
mod snapshot;
mod write;
mod writer;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::ErrorCode;
use todo_application::domain::{Todo, TodoId, Version, WorkspaceId};
use todo_application::ports::{
    BoxError, Creation, CreationRequest, Filter, NotReady, Readiness, StorageError, TodoRepository,
};
use tokio::time::timeout;

pub use backup::{BackupError, SqliteBackup};
use files::Files;
pub use loader::SqliteTodoLoader;
pub use open_error::{OpenError, OpenProblem};
use readers::Readers;
pub use snapshot::SqliteSnapshot;
use write::{Outcome, Write};
use writer::Writer;

/// How long a readiness check waits for a read; the port promises an answer within a second.
const PROBE_TIME: Duration = Duration::from_millis(900);

/// Keeps todos in one SQLite file that no other process uses at the same time.
///
/// Its methods need a Tokio runtime with time enabled. A caller that stops waiting for a write
/// cannot know whether it happened; nothing else comes of it. Dropping the repository waits until
/// the writes that are queued are on disk, so drop it where blocking is fine.
pub struct SqliteTodoRepository {
    // Dropped in this order: read no more, write the last todos and close the file, let others have it.
    readers: Readers,
    writer: Writer,
    files: Arc<Files>,
    _lock: File,
}

impl SqliteTodoRepository {
    /// Opens the database at `path`, made if there is none, and brings it to the current schema.
    /// Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        open::repository(path)
    }
}

/// What SQLite could not do: because the file contradicts itself, or because of something that may
/// be over soon.
fn failure(error: rusqlite::Error) -> StorageError {
    if is_damage(&error) { StorageError::Damaged(error.into()) } else { unavailable(error) }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn unavailable(error: impl Into<BoxError>) -> StorageError {
    StorageError::Unavailable(error.into())
}

#[async_trait]
impl TodoRepository for SqliteTodoRepository {
    async fn find(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        let workspace = workspace.clone();
        self.readers.read(move |connection| queries::find(connection, &workspace, id)).await
    }

    async fn list(
        &self,
        workspace: &WorkspaceId,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        let workspace = workspace.clone();
        self.readers
            .read(move |connection| queries::list(connection, &workspace, filter, after, limit))
            .await
    }

    async fn insert(&self, todo: &Todo) -> Result<(), StorageError> {
        let write = Write::Insert(todo.clone());
        self.writer.write(write).await.map(drop)
    }

    async fn insert_once(
        &self,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, StorageError> {
        let write = Write::InsertOnce { todo: todo.clone(), request: request.clone() };
        Ok(match self.writer.write(write).await? {
            Outcome::Earlier(creation) => Some(creation),
            Outcome::Done | Outcome::Nothing => None,
        })
    }

    async fn save(&self, todo: &Todo, expected: Version) -> Result<(), StorageError> {
        let write = Write::Save { todo: todo.clone(), expected };
        self.writer.write(write).await.map(drop)
    }

    async fn remove(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StorageError> {
        let write = Write::Remove { workspace: workspace.clone(), id, expected };
        Ok(self.writer.write(write).await? == Outcome::Done)
    }
}

#[async_trait]
impl Readiness for SqliteTodoRepository {
    fn name(&self) -> &'static str {
        "storage"
    }

    async fn ready(&self) -> Result<(), NotReady> {
        if !self.writer.is_alive() {
            return Err(NotReady("the database's writer has stopped".into()));
        }
        if !self.files.are_in_place() {
            return Err(NotReady("the database file has been moved or removed".into()));
        }
        match timeout(PROBE_TIME, self.readers.read(queries::probe)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let reason = error.source().map_or_else(String::new, ToString::to_string);
                Err(NotReady(format!("the database cannot be read: {reason}")))
            }
            Err(_elapsed) => Err(NotReady("the database does not answer in time".into())),
        }
    }
}
