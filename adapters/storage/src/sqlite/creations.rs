//! The requests to create a todo that are remembered by their key.

use rusqlite::{Connection, OptionalExtension as _, params};
use todo_application::domain::{Instant, Todo, TodoId};
use todo_application::ports::{Creation, CreationRequest};

// A few at a time, so that no write deletes a day's worth of them.
const FORGET: &str = "\
    DELETE FROM creations \
    WHERE workspace = ?1 AND (caller, key) IN \
        (SELECT caller, key FROM creations \
         WHERE workspace = ?1 AND forget_at <= ?2 ORDER BY forget_at LIMIT 16)";

const FIND: &str = "\
    SELECT todo, created_at, fingerprint FROM creations \
    WHERE workspace = ?1 AND caller = ?2 AND key = ?3 AND forget_at > ?4";

// Replaces an expired request with the same key.
const REMEMBER: &str = "\
    INSERT OR REPLACE INTO creations (workspace, caller, key, fingerprint, todo, created_at, forget_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// The creation by an earlier request of this caller with this key that is not forgotten.
pub(super) fn find(
    connection: &Connection,
    caller: &str,
    todo: &Todo,
    request: &CreationRequest,
) -> rusqlite::Result<Option<Creation>> {
    let workspace = todo.workspace().as_str();
    let now = todo.created_at().as_unix_millis();
    let key = params![workspace, caller, request.key.as_str(), now];
    let mut find = connection.prepare_cached(FIND)?;
    let found = find.query_row(key, |row| {
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

/// Remembers a request whose key is unused, and forgets some expired ones.
pub(super) fn remember(
    connection: &Connection,
    caller: &str,
    todo: &Todo,
    request: &CreationRequest,
) -> rusqlite::Result<()> {
    let row = params![
        todo.workspace().as_str(),
        caller,
        request.key.as_str(),
        request.fingerprint.cast_signed(),
        todo.record().id.as_uuid().as_bytes(),
        todo.created_at().as_unix_millis(),
        request.forget_at.as_unix_millis(),
    ];
    connection.prepare_cached(REMEMBER)?.execute(row)?;
    let expired = params![todo.workspace().as_str(), todo.created_at().as_unix_millis()];
    connection.prepare_cached(FORGET)?.execute(expired).map(drop)
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
        let add = "INSERT INTO creations VALUES (?1, 'usr_alice', ?2, 7, x'00', 1, 100)";
        for key in 0..40 {
            connection.execute(add, params![workspace().as_str(), format!("key {key}")]).unwrap();
        }
        let new = todo(1, "new");
        // Its key is one of an expired request.
        assert_eq!(find(&connection, CALLER, &new, &request(39, 200)).unwrap(), None);
        remember(&connection, CALLER, &new, &request(39, 200)).unwrap();
        assert_eq!(
            find(&connection, CALLER, &new, &request(39, 200)).unwrap().unwrap().todo,
            new.id()
        );
        assert_eq!(remembered(), 40 - 16);
        for key in 100..103 {
            remember(&connection, CALLER, &new, &request(key, 200)).unwrap();
        }
        assert_eq!(remembered(), 4, "only those that are not expired");
    }
}
