//! The heads of workspaces: a row for each, changed in the transaction of each write.
//!
//! | column | holds |
//! |---|---|
//! | `todos` | the number of todos |
//! | `bytes` | the [bytes](Todo::bytes) of their texts |
//! | `last_change` | the number of writes that changed something |
//! | `last_id` | the greatest [minted id](Todo::minted_id) that was ever added |

use rusqlite::{Connection, OptionalExtension as _, Params, params};
use todo_application::domain::{Todo, TodoId, WorkspaceId};

/// Adds a todo. With `?4`, only if its id is after the last one.
const ADD: &str = "\
    INSERT INTO heads (workspace, todos, bytes, last_change, last_id) VALUES (?1, 1, ?2, 1, ?3) \
    ON CONFLICT (workspace) DO UPDATE \
    SET todos = todos + 1, bytes = bytes + excluded.bytes, last_change = last_change + 1, \
        last_id = iif(excluded.last_id <= last_id, last_id, coalesce(excluded.last_id, last_id)) \
    WHERE NOT ?4 OR (excluded.last_id > last_id) IS NOT FALSE";

const CHANGE: &str = "\
    UPDATE heads SET bytes = bytes + ?2, last_change = last_change + 1 WHERE workspace = ?1";

const REMOVE: &str = "\
    UPDATE heads SET todos = todos - 1, bytes = bytes - ?2, last_change = last_change + 1 \
    WHERE workspace = ?1";

const LAST_ID: &str = "SELECT last_id FROM heads WHERE workspace = ?1";

/// Counts a todo that is about to be added, and returns whether it may be: its id is after the last one.
pub(super) fn add(connection: &Connection, todo: &Todo) -> rusqlite::Result<bool> {
    count(connection, todo, true)
}

/// Counts a todo that was created elsewhere, whatever its id.
pub(super) fn load(connection: &Connection, todo: &Todo) -> rusqlite::Result<()> {
    count(connection, todo, false).map(drop)
}

fn count(connection: &Connection, todo: &Todo, is_new: bool) -> rusqlite::Result<bool> {
    let id = todo.minted_id();
    let id = id.as_ref().map(|id| id.as_uuid().as_bytes());
    let bytes = todo.bytes().cast_signed();
    execute(connection, ADD, params![todo.workspace().as_str(), bytes, id, is_new])
}

/// Counts a change that makes the texts longer by `bytes`.
pub(super) fn change(
    connection: &Connection,
    workspace: &WorkspaceId,
    bytes: i64,
) -> rusqlite::Result<()> {
    execute(connection, CHANGE, params![workspace.as_str(), bytes]).map(drop)
}

/// Counts the removal of a todo whose texts had so many bytes.
pub(super) fn remove(
    connection: &Connection,
    workspace: &WorkspaceId,
    bytes: i64,
) -> rusqlite::Result<()> {
    execute(connection, REMOVE, params![workspace.as_str(), bytes]).map(drop)
}

/// The last id of a workspace.
pub(super) fn last_id(
    connection: &Connection,
    workspace: &WorkspaceId,
) -> rusqlite::Result<Option<TodoId>> {
    let id = connection
        .prepare_cached(LAST_ID)?
        .query_row([workspace.as_str()], |row| row.get::<_, Option<[u8; 16]>>(0));
    Ok(id.optional()?.flatten().map(TodoId::from_bytes))
}

/// Returns whether a row was changed.
fn execute(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached(sql)?.execute(parameters)? > 0)
}
