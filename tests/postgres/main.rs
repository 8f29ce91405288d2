//! PostgreSQL: several servers on one database, and databases that fail and recover.
//!
//! | module | holds |
//! |---|---|
//! | `migrations` | databases of earlier schemas, and tables that are spread over machines |
//! | `opening` | the schema, and databases that cannot be used |
//! | `plans` | query plans: every statement uses an index |
//! | `statements` | failing statements, and how they are retried |
//! | `connections` | how many there are, and a server that accepts no more |
//! | `outages` | databases that stop, hang and recover |
//! | `failover` | acknowledged writes survive restarts, crashes and failovers |
//! | `isolation` | workspaces whose statements hang do not hold up others |
//! | `change_feed` | change notifications between servers |
//! | `doctor` | what `todo-mcp doctor` finds in a database |
//! | `encryption` | certificates |
//! | `pooler` | PgBouncer in between, in each of its modes |
//! | `programs` | several programs on one database, and the secrecy of its password |
//! | `moving` | exports and imports |
//! | `installation`, `process`, `server` | as in `tests/end_to_end/` |
//! | `groups` | concurrent writes, which are committed in groups |
//! | `history` | what is remembered of the writes of several servers, and forgotten |
//! | `writers` | clients that write continuously and record every acknowledgement |
//!
//! Nothing here sleeps: a test waits for a result, and fails after a minute without.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests panic on failure"
)]

#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../end_to_end/installation.rs"]
mod installation;
#[path = "../end_to_end/process.rs"]
mod process;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../end_to_end/server.rs"]
mod server;

mod change_feed;
mod connections;
mod doctor;
mod encryption;
mod failover;
mod groups;
mod history;
mod isolation;
mod migrations;
mod moving;
mod opening;
mod outages;
mod plans;
mod pooler;
mod programs;
mod statements;
mod writers;

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use todo_adapter_storage::PostgresTodoRepository;
use todo_application::domain::{Completion, Todo, TodoId, TodoRecord};
use todo_application::ports::{Filter, StorageError};
use todo_tests::postgres::Server;
use todo_tests::{Permitted as _, operator, read_permit, todo_record, workspace, write_permit};

/// How long a test waits for something that should happen soon. Reached only when it does not
/// happen.
const PATIENCE: Duration = Duration::from_mins(1);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens within the time limit")
}

/// The role that needs a password, and its password.
const GUARDED: &str = "guarded";
const PASSWORD: &str = "PASSWORD-THAT-NOBODY-KNOWS";

/// The URL of a new database of [`GUARDED`].
async fn guarded(server: &Server) -> String {
    let database = server.create_database().await;
    let role = format!(
        "DO $$ BEGIN CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; \
         ALTER DATABASE {database} OWNER TO {GUARDED}"
    );
    server.connect(&database).await.batch_execute(&role).await.unwrap();
    format!("postgres://{GUARDED}:{PASSWORD}@{}/{database}", server.address())
}

async fn open(url: &str) -> PostgresTodoRepository {
    PostgresTodoRepository::open(&url.parse().unwrap()).await.unwrap()
}

/// The message with which a database is rejected.
async fn refusal(url: &str) -> String {
    match PostgresTodoRepository::open(&url.parse().unwrap()).await {
        Ok(_) => panic!("{url} is not rejected"),
        Err(error) => error.to_string(),
    }
}

fn id(number: u64) -> TodoId {
    TodoId::from_bytes(u128::from(number).to_be_bytes())
}

fn todo(number: u64) -> Todo {
    Todo::restore(todo_record(&workspace("mine"), id(number))).unwrap()
}

/// `todo` in its next version, completed.
fn done(todo: &Todo) -> Todo {
    let record = todo.record().clone();
    let completion = Completion::Done { at: record.updated_at };
    Todo::restore(TodoRecord { completion, version: record.version.next(), ..record }).unwrap()
}

/// All todos in the workspace of the tests.
async fn everything(repository: &PostgresTodoRepository) -> Vec<Todo> {
    repository.list_in(&workspace("mine"), Filter::default(), None, usize::MAX).await.unwrap()
}

/// How many statements wait for a lock.
async fn waiting(shell: &tokio_postgres::Client) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    shell.query_one(waiting, &[]).await.unwrap().get(0)
}

#[track_caller]
fn assert_unavailable<T: Debug, E: Error>(answer: Result<T, E>) -> String {
    let error = answer.unwrap_err();
    let unavailable = StorageError::Unavailable("any".into());
    assert_eq!(error.to_string(), unavailable.to_string(), "{error:?}");
    error.source().unwrap().to_string()
}
