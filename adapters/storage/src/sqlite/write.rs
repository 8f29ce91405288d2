//! The statements that write.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use todo_application::domain::{Quota, QuotaExceeded, Todo, TodoId, Version, WorkspaceId};
use todo_application::ports::{Creation, CreationRequest, Refusal};

use super::heads::{Heads, StoredHead};
use super::{creations, row, schema};

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

const REMOVE: &str = "\
    DELETE FROM todos \
    WHERE workspace = ?1 AND id = ?2 AND version = coalesce(?3, version) \
    RETURNING octet_length(title) + ifnull(octet_length(description), 0) \
              + ifnull(octet_length(labels), 0)";

/// The bytes of the texts of a todo of this version.
const BYTES: &str = "\
    SELECT octet_length(title) + ifnull(octet_length(description), 0) \
           + ifnull(octet_length(labels), 0) \
    FROM todos \
    WHERE workspace = ?1 AND id = ?2 AND version = ?3";

const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM todos WHERE workspace = ?1 AND id = ?2)";

/// A write, as the port requests it.
pub(super) enum Write {
    Insert {
        todo: Todo,
        quota: Quota,
    },
    /// `caller` is the [key](todo_application::domain::CallerId::key) of the caller.
    InsertOnce {
        caller: String,
        todo: Todo,
        request: CreationRequest,
        quota: Quota,
    },
    Save {
        todo: Todo,
        expected: Version,
        quota: Quota,
    },
    Remove {
        workspace: WorkspaceId,
        id: TodoId,
        expected: Option<Version>,
    },
    /// Changes nothing, to see whether writes are committed.
    Probe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A row was written or removed.
    Done,
    /// There was no todo to remove.
    NotFound,
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

    /// Whether the write is more than one statement that changes something. SQLite undoes a failed
    /// statement by itself.
    pub(super) fn needs_savepoint(&self) -> bool {
        matches!(self, Self::InsertOnce { .. })
    }

    /// Runs the write in the open transaction. Unless the outcome is [`Outcome::Done`], it has changed
    /// nothing; after an error, what a write that [needs a savepoint](Self::needs_savepoint) has done must
    /// be rolled back.
    pub(super) fn apply(
        &self,
        connection: &Connection,
        heads: &mut Heads<'_>,
    ) -> rusqlite::Result<Outcome> {
        match self {
            Self::Insert { todo, quota } => {
                insert(connection, heads.of(todo.workspace())?, todo, *quota, || Ok(()))
            }
            Self::InsertOnce { caller, todo, request, quota } => {
                insert_once(connection, heads, caller, todo, request, *quota)
            }
            Self::Save { todo, expected, quota } => {
                save(connection, heads, todo, *expected, *quota)
            }
            Self::Remove { workspace, id, expected } => {
                remove(connection, heads, workspace, *id, *expected)
            }
            Self::Probe => schema::rewrite(connection).map(|()| Outcome::Done),
        }
    }
}

fn insert(
    connection: &Connection,
    head: &mut StoredHead,
    todo: &Todo,
    quota: Quota,
    remember: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<Outcome> {
    if let Err(refusal) = head.get().admits(todo, quota) {
        let is_taken = exists(connection, todo.workspace(), todo.id())?;
        return Ok(if is_taken { Outcome::Duplicate } else { Outcome::Refused(refusal) });
    }
    if !insert_new(connection, todo)? {
        return Ok(Outcome::Duplicate);
    }
    remember()?;
    head.count(|head| head.add(todo));
    Ok(Outcome::Done)
}

/// Adds a todo if its id is free in its workspace, and returns whether it was.
pub(super) fn insert_new(connection: &Connection, todo: &Todo) -> rusqlite::Result<bool> {
    let values = params_from_iter(row::values(todo));
    Ok(connection.prepare_cached(INSERT)?.execute(values)? > 0)
}

fn insert_once(
    connection: &Connection,
    heads: &mut Heads<'_>,
    caller: &str,
    todo: &Todo,
    request: &CreationRequest,
    quota: Quota,
) -> rusqlite::Result<Outcome> {
    if let Some(earlier) = creations::find(connection, caller, todo, request)? {
        return Ok(Outcome::Earlier(earlier));
    }
    let remember = || creations::remember(connection, caller, todo, request);
    insert(connection, heads.of(todo.workspace())?, todo, quota, remember)
}

fn save(
    connection: &Connection,
    heads: &mut Heads<'_>,
    todo: &Todo,
    expected: Version,
    quota: Quota,
) -> rusqlite::Result<Outcome> {
    let (workspace, id) = (todo.workspace(), todo.id());
    let head = heads.of(workspace)?;
    let key = params![workspace.as_str(), id.as_uuid().as_bytes(), expected.as_i64()];
    let before = connection.prepare_cached(BYTES)?.query_row(key, |row| row.get::<_, i64>(0));
    let Some(before) = before.optional()?.map(i64::unsigned_abs) else {
        return Ok(Outcome::Stale);
    };
    if let Err(exceeded) = head.get().admits_change(before, todo, quota) {
        return Ok(Outcome::TooLong(exceeded));
    }
    let expected = ToSqlOutput::from(expected.as_i64());
    let values = params_from_iter(row::values(todo).into_iter().chain([expected]));
    connection.prepare_cached(SAVE)?.execute(values)?;
    head.count(|head| head.replace(before, todo));
    Ok(Outcome::Done)
}

fn remove(
    connection: &Connection,
    heads: &mut Heads<'_>,
    workspace: &WorkspaceId,
    id: TodoId,
    expected: Option<Version>,
) -> rusqlite::Result<Outcome> {
    let head = heads.of(workspace)?;
    let key = params![workspace.as_str(), id.as_uuid().as_bytes(), expected.map(Version::as_i64)];
    let removed = connection.prepare_cached(REMOVE)?.query_row(key, |row| row.get::<_, i64>(0));
    if let Some(bytes) = removed.optional()? {
        head.count(|head| head.remove(bytes.unsigned_abs()));
        return Ok(Outcome::Done);
    }
    Ok(if exists(connection, workspace, id)? { Outcome::Stale } else { Outcome::NotFound })
}

fn exists(connection: &Connection, workspace: &WorkspaceId, id: TodoId) -> rusqlite::Result<bool> {
    let key = params![workspace.as_str(), id.as_uuid().as_bytes()];
    connection.prepare_cached(EXISTS)?.query_row(key, |row| row.get(0))
}
