//! What was answered is there, whatever happens to the program, its disk and its file.
//!
//! | module | holds |
//! |---|---|
//! | `failing_sync` | a disk that does not confirm what is written |
//! | `full_disk` | a disk without room |
//! | `groups` | many who write at once |
//! | `kill` | `kill -9` under load, and in the middle of a start |
//! | `read_only` | files that the program may not write to |
//! | `moved_files` | files that are not where they were |
//! | `program` | the program on a file of its own, and the file behind its back |
//! | `writers` | clients that write all the time and know what they were answered |
//! | `installation`, `process`, `server` | as in `tests/end_to_end/` |
//!
//! Nothing here sleeps, and what is random comes from a seed that the failure names.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so at once"
)]
#![cfg(unix)]

#[expect(dead_code, reason = "there is more to them than is needed here")]
#[path = "../end_to_end/installation.rs"]
mod installation;
#[expect(dead_code, reason = "there is more to them than is needed here")]
#[path = "../end_to_end/process.rs"]
mod process;
#[expect(dead_code, reason = "there is more to them than is needed here")]
#[path = "../end_to_end/server.rs"]
mod server;

mod program;
mod writers;

mod damage;
#[cfg(target_os = "linux")]
mod failing_sync;
#[cfg(target_os = "linux")]
mod full_disk;
mod groups;
mod kill;
mod moved_files;
mod read_only;
