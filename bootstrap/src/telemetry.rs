//! The log, on standard error.
//!
//! Text from outside can be in an event, such as an error of a database. All of it passes the filter of
//! `escape`: in text each field does, because the colours and the end of a line, which are ours, cannot be
//! told from it afterwards; in JSON each line.

mod json_lines;
mod plain;
mod standard_error;

use std::io::IsTerminal as _;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::failure::Failure;
use json_lines::JsonLines;
use plain::PlainFields;

pub(crate) use standard_error::LogFormat;

/// Starts the log, with a filter in the syntax of `RUST_LOG`. Dropping the guard writes what is
/// queued.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<WorkerGuard, Failure> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Failure::Usage(format!("RUST_LOG: {error}")))?;
    let (lines, guard) = standard_error::standard_error(format);
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
    Ok(guard)
}
