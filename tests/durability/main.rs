//! Acknowledged writes survive faults of the program, its disk and its file.
//!
//! | module | holds |
//! |---|---|
//! | `audit_faults` | an audit log that is full, rotated, or cut off with the program |
//! | `audit_log` | what is recorded of each operation |
//! | `clock` | a clock that is set back |
//! | `failing_sync` | a disk that does not confirm writes |
//! | `foreign_log` | a write-ahead log beside another file |
//! | `full_disk` | a full disk |
//! | `groups` | concurrent writers while the database is blocked |
//! | `kill` | `kill -9` under load, and in the middle of a start |
//! | `read_only` | read-only files |
//! | `restore` | a backup in the place of the database |
//! | `moved_files` | files that are moved, removed, replaced or truncated while open |
//! | `program` | the program with a file of its own, and direct access to that file |
//! | `writers` | clients that write continuously and record every acknowledgement |
//! | `installation`, `process`, `server` | as in `tests/end_to_end/` |
//!
//! Nothing here sleeps, and random choices come from a seed that failures show.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests panic on failure"
)]
#![cfg(unix)]

#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../end_to_end/installation.rs"]
mod installation;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../end_to_end/process.rs"]
mod process;
#[expect(dead_code, reason = "only a part of it is used here")]
#[path = "../end_to_end/server.rs"]
mod server;

mod program;
mod writers;

#[cfg(target_os = "linux")]
mod audit_faults;
mod audit_log;
mod clock;
mod damage;
#[cfg(target_os = "linux")]
mod failing_sync;
mod foreign_log;
#[cfg(target_os = "linux")]
mod full_disk;
mod groups;
mod kill;
mod moved_files;
mod read_only;
mod restore;
