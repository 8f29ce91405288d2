//! What is remembered of requests to add a todo.

use rusqlite::{Connection, OptionalExtension as _, params};
use todo_application::domain::{Instant, Todo, TodoId};
use todo_application::ports::{Creation, CreationRequest};

const FORGET: &str = "DELETE FROM creations WHERE workspace = ?1 AND forget_at <= ?2";

const FIND: &str = "\
    SELECT todo, created_at, fingerprint FROM creations \
    WHERE workspace = ?1 AND created_by = ?2 AND key = ?3";

const REMEMBER: &str = "\
    INSERT INTO creations (workspace, created_by, key, fingerprint, todo, created_at, forget_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// What came of the last request of this name, once those are forgotten whose time is over.
pub(super) fn find(
    connection: &Connection,
    todo: &Todo,
    request: &CreationRequest,
) -> rusqlite::Result<Option<Creation>> {
    let workspace = todo.workspace().as_str();
    let now = todo.created_at().as_unix_millis();
    connection.prepare_cached(FORGET)?.execute(params![workspace, now])?;
    let name = params![workspace, todo.record().created_by.as_str(), request.key.as_str()];
    let mut find = connection.prepare_cached(FIND)?;
    let found = find.query_row(name, |row| {
        let at = Instant::from_unix_millis(row.get(1)?).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(
                1,
                rusqlite::types::Type::Integer,
                Box::new(error),
            )
        })?;
        let fingerprint = row.get::<_, i64>(2)?.cast_unsigned();
        Ok(Creation { todo: TodoId::from_bytes(row.get(0)?), at, fingerprint })
    });
    found.optional()
}

/// Remembers a request, whose name is not known.
pub(super) fn remember(
    connection: &Connection,
    todo: &Todo,
    request: &CreationRequest,
) -> rusqlite::Result<()> {
    let row = params![
        todo.workspace().as_str(),
        todo.record().created_by.as_str(),
        request.key.as_str(),
        request.fingerprint.cast_signed(),
        todo.record().id.as_uuid().as_bytes(),
        todo.created_at().as_unix_millis(),
        request.forget_at.as_unix_millis(),
    ];
    connection.prepare_cached(REMEMBER)?.execute(row).map(drop)
}
