//! Composes todo-mcp and runs it: the only crate that reads the environment, depends on more than one
//! adapter, and spawns the tasks of the server.
//!
//! From the bottom; a module uses only modules above it in this list:
//!
//! * `escape` — the filter for what reaches a terminal or the log
//! * [`settings`] — the environment and the `.env` file
//! * `failure`, `console` — errors with their exit codes, and what commands print
//! * `http` — bounded HTTP requests
//! * `storage_calls` — each call of the storage, observed
//! * `telemetry` — the log and traces
//! * `audit` — the audit log
//! * [`config`] — the table of settings, and what they mean
//! * `clock`, `ids`, `signals`, `open_files` — the system clock, new ids, signals, how many files may be open
//! * `passed_sockets`, `service_manager` — the sockets that systemd passes, and notifications to it
//! * `forgetting` — removing the changes that are no longer to be remembered
//! * `metrics` — what monitoring reads
//! * `local_identity` — the emulated Scalekit of development
//! * [`compose`] — the one place where the adapters are put together
//! * `serve` — listening, and stopping gracefully
//! * [`archive`] — todos as JSON Lines, and copies of a database
//! * [`doctor`] — whether settings, PostgreSQL, Scalekit, public URL and a token fit together
//! * `command_line`, `commands` — the command line, and what each command does

pub mod archive;
mod audit;
mod clock;
mod command_line;
mod commands;
pub mod compose;
pub mod config;
mod console;
pub mod doctor;
mod escape;
mod failure;
mod forgetting;
mod http;
mod ids;
#[cfg(feature = "emulator")]
mod local_identity;
mod metrics;
mod open_files;
mod passed_sockets;
mod serve;
mod service_manager;
pub mod settings;
mod signals;
mod storage_calls;
mod telemetry;

use std::ffi::OsString;
use std::process::ExitCode;

pub use audit::{AuditCounters, AuditLog};
pub use clock::SystemClock;
pub use failure::{EXIT_CODES, Failure};
pub use forgetting::Forgetting;
#[cfg(feature = "emulator")]
pub use local_identity::{LOCAL_RESOURCE_ID, emulator_options};

/// Runs the command line, and returns the exit code of the process.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = command_line::parse(arguments).and_then(commands::execute);
    outcome.unwrap_or_else(|failure| {
        console::error(&failure.to_string());
        failure.exit_code()
    })
}
