//! The requests to create a todo that are remembered by their key.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};
use todo_application::domain::{ChangeNumber, IdempotencyKey, Instant, Todo, TodoId, WorkspaceId};
use todo_application::ports::{CallRequest, CreationRequest, EarlierCall, Made};

// A few at a time, so that no write deletes a day's worth of them.
const FORGET: &str = "\
    DELETE FROM creations \
    WHERE workspace = ?1 AND (caller, key) IN \
        (SELECT caller, key FROM creations \
         WHERE workspace = ?1 AND forget_at <= ?2 ORDER BY forget_at LIMIT 16)";

const FIND: &str = "\
    SELECT todo, created_at, fingerprint, outcome FROM creations \
    WHERE workspace = ?1 AND caller = ?2 AND key = ?3 AND forget_at > ?4";

// Replaces an expired request with the same key.
const REMEMBER: &str = "\
    INSERT OR REPLACE INTO creations \
        (workspace, caller, key, fingerprint, todo, created_at, forget_at, outcome) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// What a request is remembered by.
pub(super) struct Key<'a> {
    pub(super) workspace: &'a WorkspaceId,
    /// The [key](todo_application::domain::CallerId::key) of the caller.
    pub(super) caller: &'a str,
    pub(super) name: &'a IdempotencyKey,
}

/// The earlier request with this key that is not forgotten.
pub(super) fn find(
    connection: &Connection,
    Key { workspace, caller, name }: &Key<'_>,
    now: Instant,
) -> rusqlite::Result<Option<EarlierCall>> {
    let key = params![workspace.as_str(), caller, name.as_str(), now.as_unix_millis()];
    connection.prepare_cached(FIND)?.query_row(key, read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<EarlierCall> {
    let unreadable =
        |error| rusqlite::Error::FromSqlConversionFailure(1, Type::Integer, Box::new(error));
    let todo = TodoId::from_bytes(row.get(0)?);
    Ok(EarlierCall {
        at: Instant::from_unix_millis(row.get(1)?).map_err(unreadable)?,
        fingerprint: row.get::<_, i64>(2)?.cast_unsigned(),
        made: Made::restore(todo, row.get_ref(3)?.as_str_or_null()?),
    })
}

/// Remembers a request that has created a todo, whose key is unused, and forgets some expired ones.
pub(super) fn remember_todo(
    connection: &Connection,
    key: &Key<'_>,
    todo: &Todo,
    CreationRequest { key: _, fingerprint, forget_at }: &CreationRequest,
) -> rusqlite::Result<()> {
    let id = todo.id();
    remember(connection, key, *fingerprint, id, todo.created_at(), *forget_at, &None::<&str>)
}

/// The same for one that has made several changes, the first with this number.
pub(super) fn remember_call(
    connection: &Connection,
    key: &Key<'_>,
    call: &CallRequest,
    first: ChangeNumber,
    at: Instant,
) -> rusqlite::Result<()> {
    let (no_todo, outcome) = (TodoId::from_bytes([0; 16]), call.stored(first));
    remember(connection, key, call.fingerprint, no_todo, at, call.forget_at, &outcome)
}

fn remember(
    connection: &Connection,
    Key { workspace, caller, name }: &Key<'_>,
    fingerprint: u64,
    todo: TodoId,
    at: Instant,
    forget_at: Instant,
    outcome: &dyn ToSql,
) -> rusqlite::Result<()> {
    let (workspace, at) = (workspace.as_str(), at.as_unix_millis());
    connection.prepare_cached(REMEMBER)?.execute(params![
        workspace,
        caller,
        name.as_str(),
        fingerprint.cast_signed(),
        todo.as_uuid().as_bytes(),
        at,
        forget_at.as_unix_millis(),
        outcome,
    ])?;
    connection.prepare_cached(FORGET)?.execute(params![workspace, at]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::fixture::{todo, workspace};
    use crate::sqlite::schema;

    const CALLER: &str = "usr_alice";

    #[test]
    fn expired_requests_are_forgotten_a_few_at_a_time() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        let remembered = || -> u32 {
            let count = "SELECT count(*) FROM creations WHERE workspace = ?1";
            connection.query_row(count, [workspace().as_str()], |row| row.get(0)).unwrap()
        };
        // All are created at the instant 100 of the fixture.
        let request = |key: usize, forget_at| CreationRequest {
            key: format!("key {key}").as_str().try_into().unwrap(),
            fingerprint: 7,
            forget_at: Instant::from_unix_millis(forget_at).unwrap(),
        };
        let add = "INSERT INTO creations (workspace, caller, key, fingerprint, todo, created_at, forget_at) \
                   VALUES (?1, 'usr_alice', ?2, 7, x'00', 1, 100)";
        for key in 0..40 {
            connection.execute(add, params![workspace().as_str(), format!("key {key}")]).unwrap();
        }
        let (new, workspace) = (todo(1, "new"), workspace());
        let find = |request: &CreationRequest| {
            let key = Key { workspace: &workspace, caller: CALLER, name: &request.key };
            find(&connection, &key, new.created_at()).unwrap().map(|found| found.made)
        };
        let remember = |request: &CreationRequest| {
            let key = Key { workspace: &workspace, caller: CALLER, name: &request.key };
            remember_todo(&connection, &key, &new, request).unwrap();
        };
        // Its key is one of an expired request.
        assert_eq!(find(&request(39, 200)), None);
        remember(&request(39, 200));
        assert_eq!(find(&request(39, 200)), Some(Made::Todo(new.id())));
        assert_eq!(remembered(), 40 - 16);
        for key in 100..103 {
            remember(&request(key, 200));
        }
        assert_eq!(remembered(), 4, "only those that are not expired");
    }
}
