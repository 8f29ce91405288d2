//! The program as its users have it: a process with settings, a port, output and an exit code.
//!
//! | module | holds |
//! |---|---|
//! | `installation` | a directory and settings, and running commands there |
//! | `process` | a running program: its output as it comes, signals, its end |
//! | `server` | a program that serves, and the proxy in front that judges every message |
//! | `sdk` | the client of the official Rust SDK, knowing nothing but a URL |
//! | `browser` | the person in front of the consent page |
//!
//! Nothing here sleeps: whatever takes time is waited for by what it says or by its end, and a test
//! that waits in vain fails after a while.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so at once"
)]

mod browser;
mod installation;
mod process;
mod sdk;
mod server;

mod backup_command;
mod check_command;
mod command_line;
#[cfg(unix)]
mod conformance;
mod consent;
mod contention;
mod log_hygiene;
mod memory;
mod moving;
mod official_client;
mod open_files;
mod quickstart;
#[cfg(unix)]
mod real_clients;
mod restart;
mod side_by_side;
#[cfg(unix)]
mod stopping;
mod terminal;
mod token_command;
mod unavailable;
