//! What is written to the database.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params, params_from_iter};
use todo_application::domain::{Todo, TodoId, Version, WorkspaceId};
use todo_application::ports::{Creation, CreationRequest, StorageError};

use super::{creations, row};

const INSERT: &str = "\
    INSERT INTO todos (workspace, id, title, description, completed_at, created_at, created_by, \
                       updated_at, updated_by, version) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
    ON CONFLICT (workspace, id) DO NOTHING";

const SAVE: &str = "\
    UPDATE todos SET title = ?3, description = ?4, completed_at = ?5, created_at = ?6, \
                     created_by = ?7, updated_at = ?8, updated_by = ?9, version = ?10 \
    WHERE workspace = ?1 AND id = ?2 AND version = ?11";

const REMOVE: &str = "\
    DELETE FROM todos \
    WHERE workspace = ?1 AND id = ?2 AND version = coalesce(?3, version)";

const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM todos WHERE workspace = ?1 AND id = ?2)";

/// One change, as the port asks for it.
pub(super) enum Write {
    Insert(Todo),
    InsertOnce { todo: Todo, request: CreationRequest },
    Save { todo: Todo, expected: Version },
    Remove { workspace: WorkspaceId, id: TodoId, expected: Option<Version> },
}

/// What the port answers to a write that the database carried out: what it did, or why it may not.
pub(super) type Verdict = Result<Outcome, StorageError>;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A row is written or gone.
    Done,
    /// There was nothing to remove.
    Nothing,
    /// A request of the same name did it before.
    Earlier(Creation),
}

impl Write {
    /// Makes the change in the transaction that is open. An error is a failure of the database.
    pub(super) fn apply(&self, connection: &Connection) -> rusqlite::Result<Verdict> {
        match self {
            Self::Insert(todo) => insert(connection, todo),
            Self::InsertOnce { todo, request } => insert_once(connection, todo, request),
            Self::Save { todo, expected } => save(connection, todo, *expected),
            Self::Remove { workspace, id, expected } => {
                remove(connection, workspace, *id, *expected)
            }
        }
    }
}

fn insert(connection: &Connection, todo: &Todo) -> rusqlite::Result<Verdict> {
    let inserted = insert_new(connection, todo)?;
    Ok(if inserted { Ok(Outcome::Done) } else { Err(StorageError::Duplicate(todo.id())) })
}

/// Adds a todo if its id is free in its workspace, and says whether it was.
pub(super) fn insert_new(connection: &Connection, todo: &Todo) -> rusqlite::Result<bool> {
    let values = params_from_iter(row::values(todo));
    Ok(connection.prepare_cached(INSERT)?.execute(values)? > 0)
}

fn insert_once(
    connection: &Connection,
    todo: &Todo,
    request: &CreationRequest,
) -> rusqlite::Result<Verdict> {
    if let Some(earlier) = creations::find(connection, todo, request)? {
        return Ok(Ok(Outcome::Earlier(earlier)));
    }
    let verdict = insert(connection, todo)?;
    if verdict.is_ok() {
        creations::remember(connection, todo, request)?;
    }
    Ok(verdict)
}

fn save(connection: &Connection, todo: &Todo, expected: Version) -> rusqlite::Result<Verdict> {
    let expected = ToSqlOutput::from(expected.as_i64());
    let values = params_from_iter(row::values(todo).into_iter().chain([expected]));
    let saved = connection.prepare_cached(SAVE)?.execute(values)?;
    Ok(match saved {
        0 => Err(StorageError::StaleVersion),
        _ => Ok(Outcome::Done),
    })
}

fn remove(
    connection: &Connection,
    workspace: &WorkspaceId,
    id: TodoId,
    expected: Option<Version>,
) -> rusqlite::Result<Verdict> {
    let (workspace, id) = (workspace.as_str(), id.as_uuid().as_bytes());
    let expected = expected.map(Version::as_i64);
    let removed = connection.prepare_cached(REMOVE)?.execute(params![workspace, id, expected])?;
    if removed > 0 {
        return Ok(Ok(Outcome::Done));
    }
    let is_there: bool =
        connection.prepare_cached(EXISTS)?.query_row(params![workspace, id], |row| row.get(0))?;
    Ok(if is_there { Err(StorageError::StaleVersion) } else { Ok(Outcome::Nothing) })
}
