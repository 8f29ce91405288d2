//! The statements that read.

use rusqlite::{Connection, Params, Row, params};
use todo_application::domain::{Order, Place, Todo, TodoId, WorkspaceId};
use todo_application::ports::{Filter, StorageError};

use super::failure::failure;
use super::row::{self, select};

const FIND: &str = select!("WHERE workspace = ?1 AND id = ?2");

const LIST: &str = select!("WHERE workspace = ?1 AND id > ?2 ORDER BY id LIMIT ?3");

// With an explicit index: after an ANALYZE, the planner might scan a whole workspace for the few rows
// that match.
const LIST_BY_DONE: &str = select!(
    "INDEXED BY todos_by_done \
     WHERE workspace = ?1 AND done = ?4 AND id > ?2 ORDER BY id LIMIT ?3"
);

/// The open todos or the done ones (`?2`) in an order, after a place in it.
macro_rules! list_by {
    ($index:literal, $number:literal) => {
        concat!(
            list_by!(@ $index, $number, "?2"),
            " ORDER BY ",
            $number,
            ", id LIMIT ?5"
        )
    };
    // Of both, which are merged as they are read. One statement, so that a todo that is completed meanwhile is
    // among the ones or the others.
    (both, $index:literal, $number:literal) => {
        concat!(
            list_by!(@ $index, $number, "0"),
            " UNION ALL ",
            list_by!(@ $index, $number, "1"),
            " ORDER BY ",
            $number,
            ", id LIMIT ?5"
        )
    };
    (@ $index:literal, $number:literal, $done:literal) => {
        select!(
            number $number,
            "INDEXED BY ",
            $index,
            " WHERE workspace = ?1 AND done = ",
            $done,
            " AND (",
            $number,
            ", id) > (?3, ?4)"
        )
    };
}

const LIST_BY_DUE: &str = list_by!("todos_by_due", "by_due");
const LIST_BY_PRIORITY: &str = list_by!("todos_by_priority", "by_priority");
const LIST_BY_UPDATE: &str = list_by!("todos_by_update", "by_update");
const LIST_BOTH_BY_DUE: &str = list_by!(both, "todos_by_due", "by_due");
const LIST_BOTH_BY_PRIORITY: &str = list_by!(both, "todos_by_priority", "by_priority");
const LIST_BOTH_BY_UPDATE: &str = list_by!(both, "todos_by_update", "by_update");

/// After the key of the last todo that was read, along the primary key.
const PAGE: &str =
    select!(workspace, "WHERE (workspace, id) > (?1, ?2) ORDER BY workspace, id LIMIT ?3");

const COUNT: &str = "SELECT count(*) FROM todos";

const PROBE: &str = "SELECT EXISTS (SELECT 1 FROM todos)";

/// At most one.
pub(super) fn find(
    connection: &Connection,
    workspace: &WorkspaceId,
    id: TodoId,
) -> Result<Vec<Todo>, StorageError> {
    let key = params![workspace.as_str(), id.as_uuid().as_bytes()];
    select(connection, FIND, workspace, key)
}

pub(super) fn list(
    connection: &Connection,
    workspace: &WorkspaceId,
    filter: Filter,
    after: Option<TodoId>,
    limit: usize,
) -> Result<Vec<Todo>, StorageError> {
    let key = workspace.as_str();
    // The empty blob sorts before every id.
    let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_uuid().as_bytes());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match filter.completed {
        None => select(connection, LIST, workspace, params![key, after, limit]),
        Some(done) => {
            let page = params![key, after, limit, done];
            select(connection, LIST_BY_DONE, workspace, page)
        }
    }
}

pub(super) fn list_by(
    connection: &Connection,
    workspace: &WorkspaceId,
    order: Order,
    filter: Filter,
    after: Place,
    limit: usize,
) -> Result<Vec<Todo>, StorageError> {
    let sql = match (order, filter.completed) {
        (Order::Due, Some(_)) => LIST_BY_DUE,
        (Order::Priority, Some(_)) => LIST_BY_PRIORITY,
        (Order::Updated, Some(_)) => LIST_BY_UPDATE,
        (Order::Due, None) => LIST_BOTH_BY_DUE,
        (Order::Priority, None) => LIST_BOTH_BY_PRIORITY,
        (Order::Updated, None) => LIST_BOTH_BY_UPDATE,
    };
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let (key, done) = (workspace.as_str(), filter.completed);
    let page = params![key, done, after.key, after.id.as_uuid().as_bytes(), rows];
    select(connection, sql, workspace, page)
}

/// Those that exist, in this order.
pub(super) fn find_all(
    connection: &Connection,
    workspace: &WorkspaceId,
    ids: &[TodoId],
) -> Result<Vec<Todo>, StorageError> {
    let mut statement = connection.prepare_cached(FIND).map_err(failure)?;
    let mut todos = Vec::with_capacity(ids.len());
    for id in ids {
        let key = params![workspace.as_str(), id.as_uuid().as_bytes()];
        let mut found = statement.query(key).map_err(failure)?;
        if let Some(row) = found.next().map_err(failure)? {
            todos.push(row::read(row, workspace, todos.last())?);
        }
    }
    Ok(todos)
}

/// The todos of all workspaces after one of them, or the first ones.
pub(super) fn page(
    connection: &Connection,
    after: Option<&(WorkspaceId, TodoId)>,
    limit: usize,
) -> Result<Vec<Todo>, StorageError> {
    // No workspace key is empty: every todo sorts after this.
    let (workspace, id): (&str, &[u8]) =
        after.map_or(("", &[]), |(workspace, id)| (workspace.as_str(), id.as_uuid().as_bytes()));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    todos(connection, PAGE, params![workspace, id, limit], |row, _| row::read_any(row))
}

/// The number of todos in all workspaces.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row(COUNT, [], |row| row.get(0)).map(i64::unsigned_abs)
}

/// Checks that the table can be read.
pub(super) fn probe(connection: &Connection) -> Result<(), StorageError> {
    let mut statement = connection.prepare_cached(PROBE).map_err(failure)?;
    statement.query_row([], |_| Ok(())).map_err(failure)
}

fn select(
    connection: &Connection,
    sql: &str,
    workspace: &WorkspaceId,
    parameters: impl Params,
) -> Result<Vec<Todo>, StorageError> {
    todos(connection, sql, parameters, |row, last| row::read(row, workspace, last))
}

fn todos(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl Fn(&Row<'_>, Option<&Todo>) -> Result<Todo, StorageError>,
) -> Result<Vec<Todo>, StorageError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(parameters).map_err(failure)?;
    let mut todos = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        todos.push(read(row, todos.last())?);
    }
    Ok(todos)
}

#[cfg(test)]
pub(super) mod tests {
    use rusqlite::types::Value;

    use super::*;
    use crate::sqlite::schema;

    /// The query plan of `sql`, one step a line.
    pub(in crate::sqlite) fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = vec![Value::Null; statement.parameter_count()];
        statement
            .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    /// Each query of a new database seeks in an index of the table and sorts nothing.
    pub(in crate::sqlite) fn assert_searches(table: &str, plans: &[(&str, &str)]) {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        assert_searches_in(&connection, table, plans);
    }

    fn assert_searches_in(connection: &Connection, table: &str, plans: &[(&str, &str)]) {
        for (sql, expected) in plans {
            let expected = format!("SEARCH {table} USING {expected}");
            assert_eq!(plan(connection, sql), [expected], "{sql}");
        }
    }

    fn assert_plans(connection: &Connection) {
        let searches = [
            (FIND, "PRIMARY KEY (workspace=? AND id=?)"),
            (LIST, "PRIMARY KEY (workspace=? AND id>?)"),
            (LIST_BY_DONE, "COVERING INDEX todos_by_done (workspace=? AND done=? AND id>?)"),
            (
                LIST_BY_DUE,
                "COVERING INDEX todos_by_due (workspace=? AND done=? AND (by_due,id)>(?,?))",
            ),
            (
                LIST_BY_PRIORITY,
                "COVERING INDEX todos_by_priority (workspace=? AND done=? AND (by_priority,id)>(?,?))",
            ),
            (
                LIST_BY_UPDATE,
                "COVERING INDEX todos_by_update (workspace=? AND done=? AND (by_update,id)>(?,?))",
            ),
            (PAGE, "PRIMARY KEY ((workspace,id)>(?,?))"),
        ];
        assert_searches_in(connection, "todos", &searches);
        for (sql, order) in [
            (LIST_BOTH_BY_DUE, "due"),
            (LIST_BOTH_BY_PRIORITY, "priority"),
            (LIST_BOTH_BY_UPDATE, "update"),
        ] {
            let steps = plan(connection, sql);
            let reads: Vec<_> = steps.iter().filter(|step| step.contains(" todos ")).collect();
            let seek = format!(
                "SEARCH todos USING COVERING INDEX todos_by_{order} \
                 (workspace=? AND done=? AND (by_{order},id)>(?,?))"
            );
            assert_eq!(reads, [&seek, &seek], "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        }
    }

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        assert_plans(&connection);

        // Many open todos, from which the planner concludes that `done` is not selective.
        connection
            .execute_batch(
                "INSERT INTO todos (workspace, id, title, created_at, created_by, updated_at,
                                    updated_by, version)
                 SELECT 'everyone', value, 'todo', 1, 'me', 1, 'me', 1
                 FROM (WITH RECURSIVE numbers (n) AS
                       (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
                       SELECT CAST(format('%16d', n) AS BLOB) AS value FROM numbers);
                 ANALYZE;",
            )
            .unwrap();
        assert_plans(&connection);
    }
}
