//! Which schema a database has, and bringing it to the current one.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error, GenericClient};

use super::open_error::PostgresOpenProblem;

/// The steps from an empty database to the current schema. The number of the last one applied is the
/// greatest in the table `todo_mcp_migrations`. A step that has shipped never changes, and a step
/// leaves the replicas of the version before working: they run while it is made.
const MIGRATIONS: [(i32, &str); 2] = [
    (1, include_str!("migrations/0001_todos.sql")),
    (2, include_str!("migrations/0002_creations.sql")),
];

/// The schema that this program reads and writes.
pub(super) const CURRENT: i32 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Of the programs that share a database, only this one takes this lock.
const LOCK: i64 = i64::from_be_bytes(*b"todo-mcp");

/// How long to wait for another replica that migrates.
const WAIT_FOR_LOCK: &str = "SET LOCAL statement_timeout = '60s'";

/// A step takes the time it takes.
const TAKE_YOUR_TIME: &str = "SET LOCAL statement_timeout = 0";

const BOOK: &str = "CREATE TABLE IF NOT EXISTS todo_mcp_migrations (number integer PRIMARY KEY)";

/// How often to start over when another replica was faster, where no lock keeps it away.
const ROUNDS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// What keeps replicas that start at the same time out of each other's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turns {
    /// An advisory lock, until the transaction ends.
    Lock,
    /// The engine has no such locks. What two replicas do at the same time then fails for one of
    /// them, because it is one transaction with the key of the step, and starts over.
    Transaction,
}

/// Brings a database to the current schema. One that has it is only read.
pub(super) async fn migrate(connection: &mut Client) -> Result<(), PostgresOpenProblem> {
    let mut turns = Turns::Lock;
    let mut pauses = (0..ROUNDS).map(|_| PAUSE);
    loop {
        let found = schema(connection).await?;
        if found > CURRENT {
            return Err(PostgresOpenProblem::NewerSchema { found, known: CURRENT });
        }
        if found == CURRENT {
            return Ok(());
        }
        let Err(error) = apply(connection, turns).await else { return Ok(()) };
        if turns == Turns::Lock && lacks_locks(&error) {
            tracing::info!("the database has no advisory locks: migrating without");
            turns = Turns::Transaction;
        } else if meets_another(&error)
            && let Some(pause) = pauses.next()
        {
            sleep(pause).await;
        } else {
            return Err(error.into());
        }
    }
}

/// The number of the last step, 0 if there was none.
pub(super) async fn schema(connection: &impl GenericClient) -> Result<i32, Error> {
    let last = "SELECT coalesce(max(number), 0) FROM todo_mcp_migrations";
    match connection.query_one(last, &[]).await {
        Ok(row) => row.try_get(0),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(error),
    }
}

/// Makes the steps that are missing, all in one transaction.
async fn apply(connection: &mut Client, turns: Turns) -> Result<(), Error> {
    let transaction = connection.transaction().await?;
    if turns == Turns::Lock {
        transaction.batch_execute(WAIT_FOR_LOCK).await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    }
    transaction.batch_execute(TAKE_YOUR_TIME).await?;
    transaction.batch_execute(BOOK).await?;
    let found = schema(&transaction).await?;
    let missing = MIGRATIONS.into_iter().filter(|(number, _)| *number > found);
    let mut made = Vec::new();
    for (number, sql) in missing {
        let enter = "INSERT INTO todo_mcp_migrations (number) VALUES ($1)";
        transaction.execute(enter, &[&number]).await?;
        transaction.batch_execute(sql).await?;
        made.push(number);
    }
    transaction.commit().await?;
    for schema in made {
        tracing::info!(schema, "brought the database to a new schema");
    }
    Ok(())
}

/// Whether the engine said that it has no advisory locks: CockroachDB and older YugabyteDB.
fn lacks_locks(error: &Error) -> bool {
    let lacks = [SqlState::FEATURE_NOT_SUPPORTED, SqlState::UNDEFINED_FUNCTION];
    error.code().is_some_and(|code| lacks.contains(code))
}

/// Whether another replica is making the same step.
fn meets_another(error: &Error) -> bool {
    let meets = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
        // "tuple concurrently updated", of two that change the catalogue.
        SqlState::INTERNAL_ERROR,
    ];
    error.code().is_some_and(|code| meets.contains(code))
}
