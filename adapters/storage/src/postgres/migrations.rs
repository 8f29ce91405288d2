//! Migrations: bringing a database to the current schema.

mod computed;
mod pages;
mod steps;

use std::time::Duration;

use steps::{MIGRATIONS, Step};

use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, GenericClient, Transaction};

use super::citus;
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
        if let Some(coordinator) = citus::coordinator_of_worker(connection).await? {
            return Err(PostgresOpenProblem::Worker { found, coordinator });
        }
        let error = match apply(connection, exclusion).await {
            Ok(Applied::All) => return Ok(()),
            Ok(Applied::NothingWithoutLocks) => {
                tracing::info!("the database has no advisory locks: migrating without");
                exclusion = Exclusion::Conflict;
                continue;
            }
            Err(error) => error,
        };
        if is_conflict(&error)
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

enum Applied {
    All,
    /// Nothing: the engine has no advisory locks.
    NothingWithoutLocks,
}

/// Applies the missing migrations in one transaction.
async fn apply(connection: &mut Client, exclusion: Exclusion) -> Result<Applied, Error> {
    let transaction = connection.transaction().await?;
    if exclusion == Exclusion::Lock {
        transaction.batch_execute(WAIT_FOR_LOCK).await?;
        match transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await {
            Err(error) if lacks_locks(&error) => return Ok(Applied::NothingWithoutLocks),
            locked => locked?,
        };
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
    Ok(Applied::All)
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
        Step::Distribute { table, like } => citus::distribute(transaction, table, like).await,
        Step::AddTerms(terms_of) => computed::add_terms(transaction, terms_of).await,
        Step::AddBaselines => computed::add_baselines(transaction).await,
    }
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
