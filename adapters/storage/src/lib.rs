//! Where todos are kept. Each adapter implements
//! [`TodoRepository`](todo_application::ports::TodoRepository) and
//! [`Readiness`](todo_application::ports::Readiness) on its own; none knows another.
//!
//! * [`MemoryTodoRepository`] keeps them as long as the process lives.
//! * [`SqliteTodoRepository`] (feature `sqlite`) keeps them in one file, for one process.
//! * [`PostgresTodoRepository`] (feature `postgres`) keeps them in a PostgreSQL database, for any
//!   number of processes.
//!
//! Operators move todos with a [`TodoSnapshot`](todo_application::ports::TodoSnapshot) of each, and a
//! [`TodoLoader`](todo_application::ports::TodoLoader).
//!
//! [`InProcessChangeFeed`] carries word of changes for stores that only one process writes to.
//!
//! To add an adapter: a module and a feature here, and one line in each suite of
//! `tests/contract.rs`, which runs every promise of the ports against it.

mod change_feed;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use change_feed::InProcessChangeFeed;
pub use memory::{MemorySnapshot, MemoryTodoRepository};
#[cfg(feature = "postgres")]
pub use postgres::{
    PostgresChangeFeed, PostgresOpenError, PostgresOpenProblem, PostgresSnapshot,
    PostgresTodoRepository, PostgresUrl, PostgresUrlError,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    BackupError, OpenError, OpenProblem, SqliteBackup, SqliteSnapshot, SqliteTodoLoader,
    SqliteTodoRepository,
};
