//! What PostgreSQL is there for: many servers, and databases that come and go.
//!
//! | module | holds |
//! |---|---|
//! | `opening` | the schema, and databases that cannot be used |
//! | `plans` | that every statement goes straight to its rows |
//! | `statements` | statements that fail, and what is done about it |
//! | `outages` | databases that stop, hang and come back |
//! | `failover` | what was answered is there, whatever happens to the server |
//! | `change_feed` | what one server does is told by the others |
//! | `encryption` | certificates |
//! | `programs` | whole programs on one database, and that its password stays secret |
//! | `moving` | exports and imports |
//! | `installation`, `process`, `server` | as in `tests/end_to_end/` |
//! | `writers` | clients that write all the time and know what they were answered |
//!
//! Nothing here sleeps: a test waits for an answer, and fails after a while without one.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so at once"
)]

#[expect(dead_code, reason = "there is more to them than is needed here")]
#[path = "../end_to_end/installation.rs"]
mod installation;
#[path = "../end_to_end/process.rs"]
mod process;
#[expect(dead_code, reason = "there is more to them than is needed here")]
#[path = "../end_to_end/server.rs"]
mod server;

mod change_feed;
mod encryption;
mod failover;
mod moving;
mod opening;
mod outages;
mod plans;
mod programs;
mod statements;
mod writers;

use std::future::Future;
use std::time::Duration;

use todo_adapter_storage::PostgresTodoRepository;
use todo_application::domain::{Completion, Todo, TodoId, TodoRecord};
use todo_application::ports::{Filter, StorageError, TodoRepository as _};
use todo_tests::postgres::Server;
use todo_tests::{todo_record, workspace};

/// How long a test waits for what should happen soon. Reached only when it does not happen.
const PATIENCE: Duration = Duration::from_mins(1);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it happens soon")
}

/// Who has to say a password, and which.
const GUARDED: &str = "guarded";
const PASSWORD: &str = "PASSWORD-THAT-NOBODY-KNOWS";

/// The URL of a new database of that user.
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

/// The sentence in which a database is refused.
async fn refusal(url: &str) -> String {
    match PostgresTodoRepository::open(&url.parse().unwrap()).await {
        Ok(_) => panic!("{url} is not refused"),
        Err(error) => error.to_string(),
    }
}

fn id(number: u64) -> TodoId {
    TodoId::from_bytes(u128::from(number).to_be_bytes())
}

fn todo(number: u64) -> Todo {
    Todo::restore(todo_record(&workspace("mine"), id(number))).unwrap()
}

/// `todo` in its next version, done.
fn done(todo: &Todo) -> Todo {
    let record = todo.record().clone();
    let completion = Completion::Done { at: record.updated_at };
    Todo::restore(TodoRecord { completion, version: record.version.next(), ..record }).unwrap()
}

/// Everything in the workspace of the tests.
async fn everything(repository: &PostgresTodoRepository) -> Vec<Todo> {
    repository.list(&workspace("mine"), Filter::default(), None, usize::MAX).await.unwrap()
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(answer: Result<T, StorageError>) -> String {
    match answer {
        Err(StorageError::Unavailable(cause)) => cause.to_string(),
        other => panic!("{other:?}"),
    }
}
