//! The heads of workspaces: a row for each, changed in the transaction of each write.
//!
//! | column | holds |
//! |---|---|
//! | `todos` | the number of todos |
//! | `bytes` | the [bytes](Todo::bytes) of their texts |
//! | `last_change` | the number of writes that changed something |
//! | `last_id` | the greatest [minted id](Todo::minted_id) that was ever added |

use std::num::NonZeroU64;

use rusqlite::{Connection, OptionalExtension as _, Params, params};
use todo_application::domain::{Quota, Todo, TodoId, WorkspaceId};
use todo_application::ports::Head;

/// Adds a new todo to a workspace that may have `?4` todos and `?5` bytes then. No row if its id is not
/// after the last one, or if they would be more.
const ADD: &str = "\
    INSERT INTO heads (workspace, todos, bytes, last_change, last_id) \
    SELECT ?1, 1, ?2, 1, ?3 WHERE ?2 <= ?5 \
    ON CONFLICT (workspace) DO UPDATE \
    SET todos = todos + 1, bytes = bytes + excluded.bytes, last_change = last_change + 1, \
        last_id = iif(excluded.last_id <= last_id, last_id, coalesce(excluded.last_id, last_id)) \
    WHERE (excluded.last_id > last_id) IS NOT FALSE \
      AND todos < ?4 AND bytes + excluded.bytes <= ?5";

/// Adds a todo that was created elsewhere.
const LOAD: &str = "\
    INSERT INTO heads (workspace, todos, bytes, last_change, last_id) VALUES (?1, 1, ?2, 1, ?3) \
    ON CONFLICT (workspace) DO UPDATE \
    SET todos = todos + 1, bytes = bytes + excluded.bytes, last_change = last_change + 1, \
        last_id = iif(excluded.last_id <= last_id, last_id, coalesce(excluded.last_id, last_id))";

/// No row if a todo becomes longer, and the workspace would have more than `?3` bytes.
const CHANGE: &str = "\
    UPDATE heads SET bytes = bytes + ?2, last_change = last_change + 1 \
    WHERE workspace = ?1 AND (?2 <= 0 OR bytes + ?2 <= ?3)";

const REMOVE: &str = "\
    UPDATE heads SET todos = todos - 1, bytes = bytes - ?2, last_change = last_change + 1 \
    WHERE workspace = ?1";

const FIND: &str = "SELECT todos, bytes, last_id FROM heads WHERE workspace = ?1";

/// Counts a new todo, and returns whether it may be added: its id is after the last one, and the quota
/// admits it.
pub(super) fn add(connection: &Connection, todo: &Todo, quota: Quota) -> rusqlite::Result<bool> {
    let id = todo.minted_id();
    let id = id.as_ref().map(|id| id.as_uuid().as_bytes());
    let (key, bytes) = (todo.workspace().as_str(), todo.bytes().cast_signed());
    let [todos_limit, bytes_limit] = [quota.todos, quota.bytes].map(limit);
    execute(connection, ADD, params![key, bytes, id, todos_limit, bytes_limit])
}

/// Counts a todo that was created elsewhere, whatever its id and however much there is.
pub(super) fn load(connection: &Connection, todo: &Todo) -> rusqlite::Result<()> {
    let id = todo.minted_id();
    let id = id.as_ref().map(|id| id.as_uuid().as_bytes());
    let (key, bytes) = (todo.workspace().as_str(), todo.bytes().cast_signed());
    execute(connection, LOAD, params![key, bytes, id]).map(drop)
}

/// Counts a change that makes the texts longer by `bytes`, and returns whether the quota admits it.
pub(super) fn change(
    connection: &Connection,
    workspace: &WorkspaceId,
    bytes: i64,
    quota: Quota,
) -> rusqlite::Result<bool> {
    execute(connection, CHANGE, params![workspace.as_str(), bytes, limit(quota.bytes)])
}

/// A limit as a number that is compared.
fn limit(limit: Option<NonZeroU64>) -> i64 {
    limit.map_or(i64::MAX, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX))
}

/// Counts the removal of a todo whose texts had so many bytes.
pub(super) fn remove(
    connection: &Connection,
    workspace: &WorkspaceId,
    bytes: i64,
) -> rusqlite::Result<()> {
    execute(connection, REMOVE, params![workspace.as_str(), bytes]).map(drop)
}

pub(super) fn find(connection: &Connection, workspace: &WorkspaceId) -> rusqlite::Result<Head> {
    let head = connection.prepare_cached(FIND)?.query_row([workspace.as_str()], |row| {
        Ok(Head {
            todos: row.get::<_, i64>(0)?.unsigned_abs(),
            bytes: row.get::<_, i64>(1)?.unsigned_abs(),
            last_id: row.get::<_, Option<[u8; 16]>>(2)?.map(TodoId::from_bytes),
        })
    });
    Ok(head.optional()?.unwrap_or_default())
}

/// Returns whether a row was changed.
fn execute(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<bool> {
    Ok(connection.prepare_cached(sql)?.execute(parameters)? > 0)
}
