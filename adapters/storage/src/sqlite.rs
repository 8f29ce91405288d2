//! Todos in an SQLite file: the embedded default.
//!
//! One thread owns the only writing connection and commits queued writes in groups. Reads have
//! connections of their own and, thanks to the write-ahead log, never wait for it.

mod backlog;
mod backup;
mod change_reads;
mod changes;
mod checkpoints;
mod creations;
mod failure;
mod files;
mod forgetting;
mod heads;
mod history;
mod job;
mod lists;
mod loader;
mod lock;
mod log_marker;
mod many_rows;
mod open;
mod open_error;
mod pinned_reader;
mod queries;
mod readers;
mod recent;
mod repository;
mod restore;
mod row;
mod runs;
mod schema;
mod snapshot;
mod terms;
mod transaction;
mod unlogged;
mod write;
mod writer;

#[cfg(test)]
mod fixture;

pub use backup::{BackupError, SqliteBackup};
pub use loader::SqliteTodoLoader;
pub use open_error::{OpenError, OpenProblem};
pub use repository::SqliteTodoRepository;
pub use restore::{RestoreProblem, SqliteRestore};
pub use snapshot::SqliteSnapshot;
