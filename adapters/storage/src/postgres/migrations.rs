//! Migrations.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, GenericClient};

use super::open_error::PostgresOpenProblem;

/// The migrations from an empty database to the current schema. The number of the last one applied is
/// the greatest in the table `todo_mcp_migrations`. A migration that has shipped never changes, and it
/// must be compatible with replicas of the previous version, which run while it is applied.
const MIGRATIONS: [(i32, &str); 2] = [
    (1, include_str!("migrations/0001_todos.sql")),
    (2, include_str!("migrations/0002_creations.sql")),
];

/// The schema that this program reads and writes.
pub(super) const CURRENT: i32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// The key of the advisory lock, which no other program uses.
const LOCK: i64 = i64::from_be_bytes(*b"todo-mcp");

/// How long to wait for another replica that migrates.
const WAIT_FOR_LOCK: &str = "SET LOCAL statement_timeout = '60s'";

const NO_TIME_LIMIT: &str = "SET LOCAL statement_timeout = 0";

const CREATE_MIGRATIONS_TABLE: &str =
    "CREATE TABLE IF NOT EXISTS todo_mcp_migrations (number integer PRIMARY KEY)";

/// How often to retry after another replica was faster, on an engine without advisory locks.
const ROUNDS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// How replicas that start at the same time exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exclusion {
    /// By an advisory lock until the end of the transaction.
    Lock,
    /// By a conflict, on an engine without advisory locks: of two concurrent transactions that insert
    /// the same migration number one fails, and is retried.
    Conflict,
}

/// Migrates a database to the current schema. One that has it is only read.
pub(super) async fn migrate(connection: &mut Client) -> Result<(), PostgresOpenProblem> {
    let mut exclusion = Exclusion::Lock;
    let mut pauses = (0..ROUNDS).map(|_| PAUSE);
    loop {
        let found = schema(connection).await?;
        if found > CURRENT {
            return Err(PostgresOpenProblem::NewerSchema { found, known: CURRENT });
        }
        if found == CURRENT {
            return Ok(());
        }
        let Err(error) = apply(connection, exclusion).await else { return Ok(()) };
        if exclusion == Exclusion::Lock && lacks_locks(&error) {
            tracing::info!("the database has no advisory locks: migrating without");
            exclusion = Exclusion::Conflict;
        } else if is_conflict(&error)
            && let Some(pause) = pauses.next()
        {
            sleep(pause).await;
        } else {
            return Err(error.into());
        }
    }
}

/// The number of the last migration, 0 if there was none.
pub(super) async fn schema(connection: &impl GenericClient) -> Result<i32, Error> {
    let last = "SELECT coalesce(max(number), 0) FROM todo_mcp_migrations";
    match connection.query_one(last, &[]).await {
        Ok(row) => row.try_get(0),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Applies the missing migrations in one transaction.
async fn apply(connection: &mut Client, exclusion: Exclusion) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    if exclusion == Exclusion::Lock {
        transaction.batch_execute(WAIT_FOR_LOCK).await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    }
    transaction.batch_execute(NO_TIME_LIMIT).await?;
    transaction.batch_execute(CREATE_MIGRATIONS_TABLE).await?;
    let found = schema(&transaction).await?;
    let missing = MIGRATIONS.into_iter().filter(|(number, _)| *number > found);
    let mut applied = Vec::new();
    for (number, sql) in missing {
        let insert = "INSERT INTO todo_mcp_migrations (number) VALUES ($1)";
        transaction.execute(insert, &[&number]).await?;
        transaction.batch_execute(sql).await?;
        applied.push(number);
    }
    transaction.commit().await?;
    // A new database is created, not converted.
    for schema in applied.into_iter().filter(|_| found > 0) {
        tracing::info!(schema, "database migrated");
    }
    Ok(())
}

/// Whether the engine has no advisory locks, as CockroachDB and older versions of YugabyteDB.
fn lacks_locks(error: &Error) -> bool {
    let lacks = [SqlState::FEATURE_NOT_SUPPORTED, SqlState::UNDEFINED_FUNCTION];
    error.code().is_some_and(|code| lacks.contains(code))
}

/// Whether another replica is applying the same migration.
fn is_conflict(error: &Error) -> bool {
    let conflicts = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        // "tuple concurrently updated", of two transactions that change the catalog.
        SqlState::INTERNAL_ERROR,
    ];
    error.code().is_some_and(|code| conflicts.contains(code))
}
