//! Migrations: bringing a database to the current schema.

mod steps;

use std::time::Duration;

use steps::{MIGRATIONS, Step};

use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, GenericClient, Transaction};

use super::open_error::PostgresOpenProblem;

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
    for (number, steps) in missing {
        let insert = "INSERT INTO todo_mcp_migrations (number) VALUES ($1)";
        transaction.execute(insert, &[&number]).await?;
        for step in steps {
            run(&transaction, *step).await?;
        }
        applied.push(number);
    }
    transaction.commit().await?;
    // A new database is created, not converted.
    for schema in applied.into_iter().filter(|_| found > 0) {
        tracing::info!(schema, "database migrated");
    }
    Ok(())
}

/// Runs one step, unless it has been done.
async fn run(transaction: &Transaction<'_>, step: Step) -> Result<(), Error> {
    match step {
        Step::Run(sql) => transaction.batch_execute(sql).await,
        Step::Unless { done, sql } => {
            if transaction.query_one(done, &[]).await?.try_get(0)? {
                return Ok(());
            }
            transaction.batch_execute(sql).await
        }
        Step::Distribute { table, like } => distribute(transaction, table, like).await,
    }
}

/// Distributes a new table of Citus as `like` is, with the rows of a workspace on one machine. Does
/// nothing where `like` is not distributed, or `table` is already.
async fn distribute(transaction: &Transaction<'_>, table: &str, like: &str) -> Result<(), Error> {
    const CITUS: &str = "SELECT to_regclass('pg_dist_partition') IS NOT NULL";
    const DISTRIBUTED: &str = "\
        SELECT logicalrelid::text FROM pg_dist_partition \
        WHERE partmethod = 'h' AND logicalrelid::text IN ($1, $2)";
    // Otherwise each shard is changed on a connection of its own, and no other statement of the
    // transaction may follow.
    const ON_ONE_CONNECTION: &str = "SET LOCAL citus.multi_shard_modify_mode = 'sequential'";
    if !transaction.query_one(CITUS, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(());
    }
    let found = transaction.query(DISTRIBUTED, &[&table, &like]).await?;
    let found = found.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, Error>>()?;
    if found.iter().any(|name| name == table) || found.is_empty() {
        return Ok(());
    }
    transaction.batch_execute(ON_ONE_CONNECTION).await?;
    let sql =
        "SELECT create_distributed_table($1::text::regclass, 'workspace', colocate_with => $2)";
    transaction.query(sql, &[&table, &like]).await?;
    tracing::info!(table, like, "new table distributed");
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
