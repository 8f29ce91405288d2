//! All todos of a database at once.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use todo_application::domain::{OperatorPermit, Todo, TodoId, WorkspaceId};
use todo_application::ports::{StorageError, TodoSnapshot};
use tokio::task::spawn_blocking;

use super::failure::unavailable;
use super::open_error::{OpenError, OpenProblem};
use super::{open, queries, schema};

/// All todos of an SQLite file at one instant, while other processes may use it.
///
/// Its methods need a Tokio runtime.
pub struct SqliteSnapshot {
    connection: Arc<Mutex<Connection>>,
    count: u64,
    last: Option<(WorkspaceId, TodoId)>,
}

impl SqliteSnapshot {
    /// Opens the database at `path`, which must exist and have the current schema. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (connection, found) = open::snapshot(path)?;
        let count = match found {
            schema::CURRENT => queries::count(&connection).map_err(OpenProblem::from),
            newer if newer > schema::CURRENT => {
                Err(OpenProblem::NewerSchema { found, known: schema::CURRENT })
            }
            _ => Err(OpenProblem::OlderSchema { found, known: schema::CURRENT }),
        };
        let count = open::with_path(path, |_| count)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), count, last: None })
    }
}

#[async_trait]
impl TodoSnapshot for SqliteSnapshot {
    fn count(&self) -> u64 {
        self.count
    }

    async fn next_page(
        &mut self,
        _: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<Todo>, StorageError> {
        let (connection, last) = (Arc::clone(&self.connection), self.last.clone());
        let reading = spawn_blocking(move || {
            // A reader that panicked has changed nothing.
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            queries::page(&connection, last.as_ref(), limit.get())
        });
        let todos = reading.await.map_err(unavailable)??;
        if let Some(todo) = todos.last() {
            self.last = Some((todo.workspace().clone(), todo.id()));
        }
        Ok(todos)
    }
}

#[cfg(test)]
mod tests;
