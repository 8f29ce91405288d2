//! The heads of workspaces: a row for each, changed in the transaction of each write.
//!
//! | column | holds |
//! |---|---|
//! | `todos` | the number of todos |
//! | `bytes` | the bytes of their texts |
//! | `last_change` | the number of writes that changed something |
//! | `last_id` | the greatest minted id that was ever added |

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension as _, params};
use todo_application::domain::{TodoId, WorkspaceId};
use todo_application::ports::Head;

const FIND: &str = "SELECT todos, bytes, last_id, last_change FROM heads WHERE workspace = ?1";

const STORE: &str = "\
    INSERT OR REPLACE INTO heads (workspace, todos, bytes, last_id, last_change) \
    VALUES (?1, ?2, ?3, ?4, ?5)";

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
    last_change: i64,
    is_changed: bool,
}

impl<'a> Heads<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection, known: HashMap::new() }
    }

    pub(super) fn of(&mut self, workspace: &WorkspaceId) -> rusqlite::Result<&mut StoredHead> {
        Ok(match self.known.entry(workspace.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(find(self.connection, workspace)?),
        })
    }

    /// Writes those that have changed.
    pub(super) fn store(self) -> rusqlite::Result<()> {
        let mut store = self.connection.prepare_cached(STORE)?;
        for (workspace, StoredHead { head, last_change, is_changed }) in self.known {
            if is_changed {
                let (todos, bytes) = (head.todos.cast_signed(), head.bytes.cast_signed());
                let last_id = head.last_id.as_ref().map(|id| id.as_uuid().as_bytes());
                let row = params![workspace.as_str(), todos, bytes, last_id, last_change];
                store.execute(row)?;
            }
        }
        Ok(())
    }
}

impl StoredHead {
    pub(super) fn get(&self) -> &Head {
        &self.head
    }

    /// Counts a write, which nothing may roll back unless the whole transaction is.
    pub(super) fn count(&mut self, write: impl FnOnce(&mut Head)) {
        write(&mut self.head);
        self.last_change += 1;
        self.is_changed = true;
    }
}

fn find(connection: &Connection, workspace: &WorkspaceId) -> rusqlite::Result<StoredHead> {
    let found = connection.prepare_cached(FIND)?.query_row([workspace.as_str()], |row| {
        Ok(StoredHead {
            head: Head {
                todos: row.get::<_, i64>(0)?.unsigned_abs(),
                bytes: row.get::<_, i64>(1)?.unsigned_abs(),
                last_id: row.get::<_, Option<[u8; 16]>>(2)?.map(TodoId::from_bytes),
            },
            last_change: row.get(3)?,
            is_changed: false,
        })
    });
    Ok(found.optional()?.unwrap_or_default())
}
