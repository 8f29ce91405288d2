//! The program as a process with settings, a port, output and an exit code.
//!
//! | module | holds |
//! |---|---|
//! | `installation` | a directory and settings, and running commands there |
//! | `process` | a running program: its output as it is written, signals, its end |
//! | `server` | a running server, and the proxy that validates every message |
//! | `sdk` | the client of the official Rust SDK, given only a URL |
//! | `browser` | the user in front of the consent page |
//! | `collector` | a collector of spans on loopback |
//!
//! Nothing here sleeps: a test waits for output or for the end of a process, and fails when
//! its time limit is over.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests panic on failure"
)]

mod browser;
#[cfg(unix)]
mod collector;
mod installation;
mod process;
mod sdk;
mod server;

mod attacks;
mod backup_command;
mod check_command;
mod command_line;
#[cfg(unix)]
mod conformance;
mod consent;
mod contention;
mod crowd;
mod health_command;
mod history;
mod installed_files;
mod listening;
mod log_hygiene;
mod memory;
mod metrics;
mod moving;
mod notes_example;
mod official_client;
mod open_files;
mod passwords;
mod quickstart;
#[cfg(unix)]
mod real_clients;
mod restart;
#[cfg(unix)]
mod service_manager;
mod side_by_side;
#[cfg(unix)]
mod stopping;
mod terminal;
mod token_command;
#[cfg(unix)]
mod traces;
mod unavailable;
