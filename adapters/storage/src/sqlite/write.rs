//! The statements that write.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params, params_from_iter};
use todo_application::domain::{
    Quota, QuotaExceeded, TermChange, Todo, TodoId, Version, WorkspaceId,
};
use todo_application::ports::{Creation, CreationRequest, Refusal};

use super::heads::{Heads, StoredHead};
use super::{creations, row, schema, terms};

const INSERT: &str = "\
    INSERT INTO todos (workspace, id, title, description, completed_at, due, due_zone, priority, \
                       labels, created_at, created_by, updated_at, updated_by, version) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
    ON CONFLICT (workspace, id) DO NOTHING";

const SAVE: &str = "\
    UPDATE todos SET title = ?3, description = ?4, completed_at = ?5, due = ?6, due_zone = ?7, \
                     priority = ?8, labels = ?9, created_at = ?10, created_by = ?11, \
                     updated_at = ?12, updated_by = ?13, version = ?14 \
    WHERE workspace = ?1 AND id = ?2 AND version = ?15";

const REMOVE: &str = "DELETE FROM todos WHERE workspace = ?1 AND id = ?2 AND version = ?3";

const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM todos WHERE workspace = ?1 AND id = ?2)";

const HAS_VERSION: &str = "\
    SELECT EXISTS (SELECT 1 FROM todos WHERE workspace = ?1 AND id = ?2 AND version = ?3)";

/// A write, as the port requests it.
pub(super) enum Write {
    Insert {
        todo: Todo,
        terms: TermChange,
        quota: Quota,
    },
    /// `caller` is the [key](todo_application::domain::CallerId::key) of the caller.
    InsertOnce {
        caller: String,
        todo: Todo,
        terms: TermChange,
        request: CreationRequest,
        quota: Quota,
    },
    Save {
        before: Before,
        todo: Todo,
        terms: TermChange,
        quota: Quota,
    },
    Remove {
        workspace: WorkspaceId,
        id: TodoId,
        before: Before,
        terms: TermChange,
    },
    /// Changes nothing, to see whether writes are committed.
    Probe,
}

/// A todo that is to be replaced or removed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    version: Version,
    /// Of its texts.
    bytes: u64,
}

impl From<&Todo> for Before {
    fn from(todo: &Todo) -> Self {
        Self { version: todo.version(), bytes: todo.bytes() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A row was written or removed.
    Done,
    /// The id was taken. Nothing was written.
    Duplicate,
    /// The todo had another version than expected, or did not exist. Nothing was written.
    Stale,
    /// The workspace does not take the new todo. Nothing was written.
    Refused(Refusal),
    /// The todo would be longer, and the workspace hold more than it may. Nothing was written.
    TooLong(QuotaExceeded),
    /// An earlier request with the same key has created its todo. Nothing was written.
    Earlier(Creation),
}

impl Write {
    /// The workspace, and the bytes of the texts that are written to it; `None` for a write without texts.
    pub(super) fn texts(&self) -> Option<(&WorkspaceId, u64)> {
        match self {
            Self::Insert { todo, .. } | Self::InsertOnce { todo, .. } | Self::Save { todo, .. } => {
                Some((todo.workspace(), todo.bytes()))
            }
            Self::Remove { .. } | Self::Probe => None,
        }
    }

    /// Runs the write in the open transaction. Unless the outcome is [`Outcome::Done`], it has changed
    /// nothing; after an error, the transaction must be rolled back.
    pub(super) fn apply(
        &self,
        connection: &Connection,
        heads: &mut Heads<'_>,
    ) -> rusqlite::Result<Outcome> {
        match self {
            Self::Insert { todo, terms, quota } => {
                let head = heads.of(todo.workspace())?;
                insert(connection, head, todo, terms, *quota, || Ok(()))
            }
            Self::InsertOnce { caller, todo, terms, request, quota } => {
                if let Some(earlier) = creations::find(connection, caller, todo, request)? {
                    return Ok(Outcome::Earlier(earlier));
                }
                let remember = || creations::remember(connection, caller, todo, request);
                let head = heads.of(todo.workspace())?;
                insert(connection, head, todo, terms, *quota, remember)
            }
            Self::Save { before, todo, terms, quota } => {
                let head = heads.of(todo.workspace())?;
                save(connection, head, *before, todo, terms, *quota)
            }
            Self::Remove { workspace, id, before, terms } => {
                let key =
                    params![workspace.as_str(), id.as_uuid().as_bytes(), before.version.as_i64()];
                if connection.prepare_cached(REMOVE)?.execute(key)? == 0 {
                    return Ok(Outcome::Stale);
                }
                terms::change(connection, workspace, *id, terms)?;
                heads.of(workspace)?.count(|head| head.remove(before.bytes));
                Ok(Outcome::Done)
            }
            Self::Probe => schema::rewrite(connection).map(|()| Outcome::Done),
        }
    }
}

fn insert(
    connection: &Connection,
    head: &mut StoredHead,
    todo: &Todo,
    terms: &TermChange,
    quota: Quota,
    remember: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<Outcome> {
    if let Err(refusal) = head.get().admits(todo, quota) {
        let is_taken = exists(connection, todo.workspace(), todo.id())?;
        return Ok(if is_taken { Outcome::Duplicate } else { Outcome::Refused(refusal) });
    }
    if !insert_new(connection, todo, terms)? {
        return Ok(Outcome::Duplicate);
    }
    remember()?;
    head.count(|head| head.add(todo));
    Ok(Outcome::Done)
}

/// Adds a todo if its id is free in its workspace, and returns whether it was.
pub(super) fn insert_new(
    connection: &Connection,
    todo: &Todo,
    terms: &TermChange,
) -> rusqlite::Result<bool> {
    let values = params_from_iter(row::values(todo));
    let is_new = connection.prepare_cached(INSERT)?.execute(values)? > 0;
    if is_new {
        terms::change(connection, todo.workspace(), todo.id(), terms)?;
    }
    Ok(is_new)
}

fn save(
    connection: &Connection,
    head: &mut StoredHead,
    before: Before,
    todo: &Todo,
    terms: &TermChange,
    quota: Quota,
) -> rusqlite::Result<Outcome> {
    let (workspace, id) = (todo.workspace(), todo.id());
    if let Err(exceeded) = head.get().admits_change(before.bytes, todo, quota) {
        let key = params![workspace.as_str(), id.as_uuid().as_bytes(), before.version.as_i64()];
        let is_stored = connection.prepare_cached(HAS_VERSION)?.query_row(key, |row| row.get(0))?;
        return Ok(if is_stored { Outcome::TooLong(exceeded) } else { Outcome::Stale });
    }
    let expected = ToSqlOutput::from(before.version.as_i64());
    let values = params_from_iter(row::values(todo).into_iter().chain([expected]));
    if connection.prepare_cached(SAVE)?.execute(values)? == 0 {
        return Ok(Outcome::Stale);
    }
    terms::change(connection, workspace, id, terms)?;
    head.count(|head| head.replace(before.bytes, todo));
    Ok(Outcome::Done)
}

fn exists(connection: &Connection, workspace: &WorkspaceId, id: TodoId) -> rusqlite::Result<bool> {
    let key = params![workspace.as_str(), id.as_uuid().as_bytes()];
    connection.prepare_cached(EXISTS)?.query_row(key, |row| row.get(0))
}
