//! All todos of a database at once.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use todo_application::domain::{ChangeNumber, OperatorPermit, Todo, TodoId, WorkspaceId};
use todo_application::ports::{HistoryItem, StorageError, TodoSnapshot};
use tokio::task::spawn_blocking;

use super::failure::{failure, unavailable};
use super::open_error::{OpenError, OpenProblem};
use super::{change_reads, heads, open, queries, schema};

/// All todos of an SQLite file at one instant, while other processes may use it.
///
/// Its methods need a Tokio runtime.
pub struct SqliteSnapshot {
    connection: Arc<Mutex<Connection>>,
    count: u64,
    last: Option<(WorkspaceId, TodoId)>,
    last_change: Option<(WorkspaceId, ChangeNumber)>,
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
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            count,
            last: None,
            last_change: None,
        })
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
        let last = self.last.clone();
        let page =
            move |connection: &Connection| queries::page(connection, last.as_ref(), limit.get());
        let todos = self.read(page).await?;
        if let Some(todo) = todos.last() {
            self.last = Some((todo.workspace().clone(), todo.id()));
        }
        Ok(todos)
    }

    async fn count_changes(&mut self, _: &OperatorPermit) -> Result<u64, StorageError> {
        self.read(change_reads::count).await
    }

    async fn next_history(
        &mut self,
        _: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<HistoryItem>, StorageError> {
        let last = self.last_change.clone();
        let page = move |connection: &Connection| {
            let page = change_reads::page(connection, last.as_ref(), limit.get())?;
            let mut workspace = last.map(|(workspace, _)| workspace);
            let mut items = Vec::with_capacity(page.len() + 1);
            for (of, recorded) in page {
                if workspace.as_ref() != Some(&of) {
                    let head = heads::find(connection, &of).map_err(failure)?;
                    let (latest, forgotten) = (head.latest, head.forgotten);
                    items.push(HistoryItem::Head { workspace: of.clone(), latest, forgotten });
                    workspace = Some(of.clone());
                }
                items.push(HistoryItem::Change { workspace: of, recorded });
            }
            Ok(items)
        };
        let items = self.read(page).await?;
        if let Some(HistoryItem::Change { workspace, recorded }) = items.last() {
            self.last_change = Some((workspace.clone(), recorded.number));
        }
        Ok(items)
    }
}

impl SqliteSnapshot {
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let connection = Arc::clone(&self.connection);
        let reading = spawn_blocking(move || {
            // A reader that panicked has changed nothing.
            query(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        reading.await.map_err(unavailable)?
    }
}

#[cfg(test)]
mod tests;
