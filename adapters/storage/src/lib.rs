//! Where todos are stored. Each adapter implements
//! [`TodoRepository`](todo_application::ports::TodoRepository) and
//! [`StorageHealth`](todo_application::ports::StorageHealth); none depends on another.
//!
//! * [`MemoryTodoRepository`] keeps todos until the process ends.
//! * [`SqliteTodoRepository`] (feature `sqlite`) keeps them in one file, for one process.
//! * [`PostgresTodoRepository`] (feature `postgres`) keeps them in a PostgreSQL database, for any
//!   number of processes.
//!
//! Each has a [`TodoSnapshot`](todo_application::ports::TodoSnapshot) and a
//! [`TodoLoader`](todo_application::ports::TodoLoader), with which operators move todos.
//!
//! [`InProcessChangeFeed`] publishes changes for stores with a single writing process.
//!
//! To add an adapter: a module and a feature here, and one line in each suite of
//! `tests/contract.rs`, which runs every promise of the ports against it.

mod change_feed;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod history;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use change_feed::InProcessChangeFeed;
pub use memory::{MemorySnapshot, MemoryTodoRepository};
#[cfg(feature = "postgres")]
pub use postgres::{
    ChangeReach, PostgresChangeFeed, PostgresOpenError, PostgresOpenProblem, PostgresPool,
    PostgresReport, PostgresSnapshot, PostgresTodoRepository, PostgresUrl, PostgresUrlError,
};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    BackupError, OpenError, OpenProblem, RestoreProblem, SqliteBackup, SqliteRestore,
    SqliteSnapshot, SqliteTodoLoader, SqliteTodoRepository,
};
