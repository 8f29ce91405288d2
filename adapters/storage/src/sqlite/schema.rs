//! Migrations.

use rusqlite::{Connection, TransactionBehavior};
use todo_application::domain::{Term, Todo};

use super::{changes, terms};

/// Marks a database as one of todo-mcp (`PRAGMA application_id`).
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"todo");

/// The migrations from an empty file to the current schema. The number of the last one applied is the
/// file's `PRAGMA user_version`. A migration that has shipped never changes.
const MIGRATIONS: [(i32, &str); 12] = [
    (1, include_str!("migrations/0001_todos.sql")),
    (2, include_str!("migrations/0002_creations.sql")),
    (3, include_str!("migrations/0003_whole_todos_by_done.sql")),
    (4, include_str!("migrations/0004_creations_by_caller.sql")),
    (5, include_str!("migrations/0005_heads.sql")),
    (6, include_str!("migrations/0006_due_priority_labels.sql")),
    (7, include_str!("migrations/0007_orders.sql")),
    (8, include_str!("migrations/0008_terms.sql")),
    (9, include_str!("migrations/0009_changes.sql")),
    (10, include_str!("migrations/0010_whole_todos_by_orders.sql")),
    (11, include_str!("migrations/0011_fresh_and_plain_todos.sql")),
    (12, include_str!("migrations/0012_terms_of_four_days.sql")),
];

/// Those of the terms that a migration adds, which are computed here: of words and labels, then of priorities and
/// days.
fn new_terms(migration: i32) -> Option<fn(&Todo) -> Vec<Term>> {
    match migration {
        8 => Some(Term::of_texts),
        10 | 12 => Some(Term::of_state),
        _ => None,
    }
}

/// The migration that makes the table of changes, to which a baseline is added.
const CHANGES: i32 = 9;

/// The schema that this program reads and writes.
pub(super) const CURRENT: i32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Which application a database belongs to.
pub(super) enum Origin {
    /// todo-mcp. The schema of an empty database is 0.
    Ours {
        schema: i32,
    },
    Foreign,
}

/// Changes nothing.
pub(super) fn origin(connection: &Connection) -> rusqlite::Result<Origin> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", first)?;
    let schema: i32 = connection.pragma_query_value(None, "user_version", first)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application_id, schema, tables) {
        (APPLICATION_ID, schema, _) => Origin::Ours { schema },
        (0, 0, 0) => Origin::Ours { schema: 0 },
        _ => Origin::Foreign,
    })
}

/// Migrates a database from `schema` to the current one, each migration in its own transaction. The
/// creation of a new database is not logged: nothing is converted.
pub(super) fn migrate(connection: &mut Connection, schema: i32) -> rusqlite::Result<()> {
    for (number, sql) in MIGRATIONS.into_iter().filter(|(number, _)| *number > schema) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(sql)?;
        if let Some(terms_of) = new_terms(number) {
            terms::add_all(&step, terms_of)?;
        }
        if number == CHANGES {
            changes::add_baseline(&step)?;
        }
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", number)?;
        step.commit()?;
        if schema > 0 {
            tracing::info!(schema = number, "database migrated");
        }
    }
    Ok(())
}

/// Writes a page of the database, and changes nothing.
pub(super) fn rewrite(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", CURRENT)
}

fn first(row: &rusqlite::Row<'_>) -> rusqlite::Result<i32> {
    row.get(0)
}
