//! The log, on standard error.
//!
//! Text from outside can be in an event, such as an error of a database. All of it passes the filter of
//! `escape`: in text each field does, because the colours and the end of a line, which are ours, cannot be
//! told from it afterwards; in JSON each line.

mod json_lines;
mod plain;
mod standard_error;

use std::io::IsTerminal as _;

use tracing_appender::non_blocking::{ErrorCounter, WorkerGuard};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::failure::Failure;
use json_lines::JsonLines;
use plain::PlainFields;

pub(crate) use standard_error::LogFormat;

/// The log. Dropping it writes what is queued.
pub(crate) struct Log {
    dropped: ErrorCounter,
    _queue: WorkerGuard,
}

impl Log {
    /// Counts the lines that were dropped because standard error was too slow.
    pub(crate) fn dropped(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let dropped = self.dropped.clone();
        move || u64::try_from(dropped.dropped_lines()).unwrap_or(u64::MAX)
    }
}

/// Starts the log, with a filter in the syntax of `RUST_LOG`.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<Log, Failure> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Failure::Usage(format!("RUST_LOG: {error}")))?;
    let (lines, queue) = standard_error::standard_error(format);
    let dropped = lines.error_counter();
    let colours = format == LogFormat::Text && std::io::stderr().is_terminal();
    let lines = match format {
        LogFormat::Text => {
            layer().with_writer(lines).with_ansi(colours).fmt_fields(PlainFields).boxed()
        }
        LogFormat::Json => {
            let lines = move || JsonLines(lines.clone());
            layer().with_writer(lines).json().flatten_event(true).boxed()
        }
    };
    tracing_subscriber::registry().with(filter).with(lines).try_init().map_err(Failure::other)?;
    Ok(Log { dropped, _queue: queue })
}
