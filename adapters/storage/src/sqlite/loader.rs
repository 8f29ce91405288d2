//! Adding todos that were created elsewhere.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, TransactionBehavior};
use todo_application::domain::{OperatorPermit, TermChange, Todo};
use todo_application::ports::{Loaded, StorageError, TodoLoader};
use tokio::task::spawn_blocking;

use super::failure::{failure, unavailable};
use super::heads::Heads;
use super::open::{self, Exclusive};
use super::open_error::OpenError;
use super::{log_marker, queries, write};

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
    ) -> Result<Vec<Loaded>, StorageError> {
        let database = Arc::clone(&self.0);
        let loading = spawn_blocking(move || {
            // A panic has rolled its transaction back.
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            load(&mut database.connection, &todos)
        });
        loading.await.map_err(unavailable)?
    }
}

/// In one transaction, for a single sync to the disk.
fn load(connection: &mut Connection, todos: &[Todo]) -> Result<Vec<Loaded>, StorageError> {
    let immediate = TransactionBehavior::Immediate;
    let transaction = connection.transaction_with_behavior(immediate).map_err(failure)?;
    // SQLite makes a checkpoint whenever the log is long, so each commit may be the first of a log.
    log_marker::change_unless_damaged(&transaction).map_err(failure)?;
    let mut heads = Heads::new(&transaction);
    let load = |todo| load_one(&transaction, &mut heads, todo);
    let loaded = todos.iter().map(load).collect::<Result<_, _>>()?;
    heads.store().map_err(failure)?;
    transaction.commit().map_err(failure)?;
    Ok(loaded)
}

fn load_one(
    connection: &Connection,
    heads: &mut Heads<'_>,
    todo: &Todo,
) -> Result<Loaded, StorageError> {
    let terms = TermChange::adding(todo);
    if write::insert_new(connection, todo, &terms).map_err(failure)? {
        heads.of(todo.workspace()).map_err(failure)?.count(|head| head.add(todo));
        return Ok(Loaded::Added);
    }
    let stored = queries::find(connection, todo.workspace(), todo.id())?;
    Ok(Loaded::of_existing(todo, stored.as_ref()))
}

#[cfg(test)]
mod tests;
