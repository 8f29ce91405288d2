//! The heads of workspaces: a row for each, changed in the transaction of each write. Its columns are the
//! fields of [`Head`].

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use todo_application::domain::{ChangeNumber, TodoId, WorkspaceId};
use todo_application::ports::Head;

const FIND: &str = "\
    SELECT todos, bytes, last_id, latest, forgotten, deleted, history_bytes \
    FROM heads WHERE workspace = ?1";

const STORE: &str = "\
    INSERT OR REPLACE INTO heads \
        (workspace, todos, bytes, last_id, latest, forgotten, deleted, history_bytes) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// The heads that the writes of one transaction change: each is read once, changed in memory, and
/// [stored](Self::store) once, however many of the writes are of its workspace.
///
/// The transaction must be immediate, so that no other process changes them meanwhile.
pub(super) struct Heads<'a> {
    connection: &'a Connection,
    known: HashMap<WorkspaceId, StoredHead>,
}

#[derive(Default)]
pub(super) struct StoredHead {
    head: Head,
    is_changed: bool,
}

impl<'a> Heads<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    pub(super) fn of(&mut self, workspace: &WorkspaceId) -> rusqlite::Result<&mut StoredHead> {
        Ok(match self.known.entry(workspace.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let head = find(self.connection, workspace)?;
                new.insert(StoredHead { head, is_changed: false })
            }
        })
    }

    /// Leaves out a workspace whose row is removed.
    pub(super) fn remove(&mut self, workspace: &WorkspaceId) {
        self.known.remove(workspace);
    }

    /// Writes those that have changed.
    pub(super) fn store(self) -> rusqlite::Result<()> {
        let mut store = self.connection.prepare_cached(STORE)?;
        for (workspace, StoredHead { head, is_changed }) in self.known {
            if is_changed {
                let Head { todos, bytes, last_id, latest, forgotten, deleted, history_bytes } =
                    head;
                store.execute(params![
                    workspace.as_str(),
                    todos.cast_signed(),
                    bytes.cast_signed(),
                    last_id.as_ref().map(|id| id.as_uuid().as_bytes()),
                    latest.as_i64(),
                    forgotten.as_i64(),
                    deleted.cast_signed(),
                    history_bytes.cast_signed(),
                ])?;
            }
        }
        Ok(())
    }
}

impl StoredHead {
    pub(super) fn get(&self) -> &Head {
        &self.head
    }

    /// Changes the head with a write, which nothing may roll back unless the whole transaction is.
    pub(super) fn change<T>(&mut self, write: impl FnOnce(&mut Head) -> T) -> T {
        self.is_changed = true;
        write(&mut self.head)
    }
}

/// The head of a workspace, which may have none yet.
pub(super) fn find(connection: &Connection, workspace: &WorkspaceId) -> rusqlite::Result<Head> {
    let found = connection.prepare_cached(FIND)?.query_row([workspace.as_str()], read);
    Ok(found.optional()?.unwrap_or_default())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Head> {
    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
    let number = |column| row.get(column).map(|it| ChangeNumber::new(it).unwrap_or_default());
    Ok(Head {
        todos: count(0)?,
        bytes: count(1)?,
        last_id: row.get::<_, Option<[u8; 16]>>(2)?.map(TodoId::from_bytes),
        latest: number(3)?,
        forgotten: number(4)?,
        deleted: count(5)?,
        history_bytes: count(6)?,
    })
}
