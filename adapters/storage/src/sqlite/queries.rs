//! The statements that read.

use rusqlite::{Connection, Params, Row, params};
use todo_application::domain::{Todo, TodoId, WorkspaceId};
use todo_application::ports::{Filter, StorageError};

use super::failure::failure;
use super::lists;
use super::row::{self, select};

const FIND: &str = select!("WHERE workspace = ?1 AND id = ?2");

const LIST: &str = select!("WHERE workspace = ?1 AND id > ?2 ORDER BY id LIMIT ?3");

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
    if let Some(done) = filter.completed {
        return lists::list(connection, workspace, done, after, limit);
    }
    // The empty blob sorts before every id.
    let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_uuid().as_bytes());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    select(connection, LIST, workspace, params![workspace.as_str(), after, limit])
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

    pub(in crate::sqlite) fn assert_searches_in(
        connection: &Connection,
        table: &str,
        plans: &[(&str, &str)],
    ) {
        for (sql, expected) in plans {
            let expected = format!("SEARCH {table} USING {expected}");
            assert_eq!(plan(connection, sql), [expected], "{sql}");
        }
    }

    fn assert_plans(connection: &Connection) {
        let searches = [
            (FIND, "PRIMARY KEY (workspace=? AND id=?)"),
            (LIST, "PRIMARY KEY (workspace=? AND id>?)"),
            (PAGE, "PRIMARY KEY ((workspace,id)>(?,?))"),
        ];
        assert_searches_in(connection, "todos", &searches);
    }

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        assert_plans(&connection);
        analyze(&connection);
        assert_plans(&connection);
    }

    /// Adds many open todos, from which the planner concludes that `done` is not selective.
    pub(in crate::sqlite) fn analyze(connection: &Connection) {
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
    }
}
