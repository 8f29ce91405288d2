//! A statement that adds many rows.
//!
//! A statement opens the trees that it changes, and closes them at its end. Until then, what sorts after everything
//! else of a tree is added without a search from its root, so keys should be sorted.

use std::iter;

use rusqlite::Connection;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// The fewest rows for which it takes less time than a statement for each row: it takes longer to begin and to end.
pub(super) const MIN_ROWS: usize = 8;

/// The most rows that are added at once.
const MAX_ROWS: usize = 50;

/// A statement that adds rows of `N` columns.
pub(super) struct ManyRows<const N: usize> {
    sql: String,
    shared: usize,
}

impl<const N: usize> ManyRows<N> {
    /// `insert` names the table and its columns. The first of them, `shared`, are the same in all rows.
    pub(super) fn new(insert: &str, shared: usize, on_conflict: &str) -> Self {
        // One statement for any number of rows: the rest have no values.
        let mut parameters = (2..).map(|number| format!("?{number}"));
        let mut list = |count| parameters.by_ref().take(count).collect::<Vec<_>>().join(", ");
        let first = list(shared);
        let rows = iter::repeat_with(|| format!("({})", list(N - shared)));
        let rows = rows.take(MAX_ROWS).collect::<Vec<_>>().join(", ");
        let select = format!("SELECT {first}, * FROM new WHERE true LIMIT ?1");
        Self { sql: format!("WITH new AS (VALUES {rows}) {insert} {select} {on_conflict}"), shared }
    }

    /// Adds a row for each item, and returns how many were added.
    pub(super) fn add<'a, T>(
        &self,
        connection: &Connection,
        items: &'a [T],
        values: impl Fn(&'a T) -> [ToSqlOutput<'a>; N],
    ) -> rusqlite::Result<usize> {
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut added = 0;
        for (chunk, items) in items.chunks(MAX_ROWS).enumerate() {
            // The first time, it comes from the cache, without values of before.
            if chunk > 0 {
                statement.clear_bindings();
            }
            statement.raw_bind_parameter(1, i64::try_from(items.len()).unwrap_or(i64::MAX))?;
            let mut next = 2;
            for (place, item) in items.iter().enumerate() {
                let skipped = if place == 0 { 0 } else { self.shared };
                for value in values(item).iter().skip(skipped) {
                    // What has no value is NULL.
                    if !is_null(value) {
                        statement.raw_bind_parameter(next, value)?;
                    }
                    next += 1;
                }
            }
            added += statement.raw_execute()?;
        }
        Ok(added)
    }
}

fn is_null(value: &ToSqlOutput<'_>) -> bool {
    matches!(value, ToSqlOutput::Borrowed(ValueRef::Null) | ToSqlOutput::Owned(Value::Null))
}
