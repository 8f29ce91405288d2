//! Adding todos that were created elsewhere.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, TransactionBehavior};
use todo_application::domain::{Instant, OperatorPermit, TermChange, Todo};
use todo_application::ports::{HistoryItem, Loaded, StorageError, TodoLoader};
use tokio::task::spawn_blocking;

use super::failure::{failure, unavailable};
use super::heads::Heads;
use super::open::{self, Exclusive};
use super::open_error::OpenError;
use super::{changes, log_marker, queries, write};

/// Loads todos into an SQLite file that no other process uses at the same time.
///
/// Its methods need a Tokio runtime.
pub struct SqliteTodoLoader(Arc<Mutex<Exclusive>>);

impl SqliteTodoLoader {
    /// Opens the database at `path`, which is created if it does not exist, and migrates it to the
    /// current schema. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        open::exclusive(path).map(|database| Self(Arc::new(Mutex::new(database))))
    }
}

#[async_trait]
impl TodoLoader for SqliteTodoLoader {
    async fn load(
        &self,
        _: &OperatorPermit,
        todos: Vec<Todo>,
        remembered_at: Option<Instant>,
    ) -> Result<Vec<Loaded>, StorageError> {
        let load = move |connection: &Connection, heads: &mut Heads<'_>, todo: &Todo| {
            load_one(connection, heads, todo, remembered_at)
        };
        self.load_all(todos, load).await
    }

    async fn load_history(
        &self,
        _: &OperatorPermit,
        items: Vec<HistoryItem>,
    ) -> Result<Vec<Loaded>, StorageError> {
        self.load_all(items, changes::load).await
    }
}

impl SqliteTodoLoader {
    async fn load_all<T: Send + 'static>(
        &self,
        items: Vec<T>,
        load_one: impl Fn(&Connection, &mut Heads<'_>, &T) -> Result<Loaded, StorageError>
        + Send
        + 'static,
    ) -> Result<Vec<Loaded>, StorageError> {
        let database = Arc::clone(&self.0);
        let loading = spawn_blocking(move || {
            // A panic has rolled its transaction back.
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            load(&mut database.connection, &items, load_one)
        });
        loading.await.map_err(unavailable)?
    }
}

/// In one transaction, for a single sync to the disk.
fn load<T>(
    connection: &mut Connection,
    items: &[T],
    load_one: impl Fn(&Connection, &mut Heads<'_>, &T) -> Result<Loaded, StorageError>,
) -> Result<Vec<Loaded>, StorageError> {
    let immediate = TransactionBehavior::Immediate;
    let transaction = connection.transaction_with_behavior(immediate).map_err(failure)?;
    // SQLite makes a checkpoint whenever the log is long, so each commit may be the first of a log.
    log_marker::change_unless_damaged(&transaction).map_err(failure)?;
    let mut heads = Heads::new(&transaction);
    let load = |item| load_one(&transaction, &mut heads, item);
    let loaded = items.iter().map(load).collect::<Result<_, _>>()?;
    heads.store().map_err(failure)?;
    transaction.commit().map_err(failure)?;
    Ok(loaded)
}

fn load_one(
    connection: &Connection,
    heads: &mut Heads<'_>,
    todo: &Todo,
    remembered_at: Option<Instant>,
) -> Result<Loaded, StorageError> {
    let terms = TermChange::adding(todo);
    if write::insert_new(connection, todo, &terms).map_err(failure)? {
        let head = heads.of(todo.workspace()).map_err(failure)?;
        head.change(|head| head.add(todo));
        changes::remember_import(connection, head, todo, remembered_at).map_err(failure)?;
        return Ok(Loaded::Added);
    }
    let stored = queries::find(connection, todo.workspace(), todo.id())?.pop();
    Ok(Loaded::of_existing(todo, stored.as_ref()))
}

#[cfg(test)]
mod tests;
