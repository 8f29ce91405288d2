//! The log, on standard error.

mod controls;
mod plain;
mod standard_error;

use std::io::IsTerminal as _;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::failure::Failure;
use controls::Escaping;
use plain::PlainFields;

pub(crate) use standard_error::LogFormat;

/// Starts the log, with a filter in the syntax of `RUST_LOG`. Dropping the guard writes what is
/// queued.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<WorkerGuard, Failure> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Failure::Usage(format!("RUST_LOG: {error}")))?;
    let (lines, guard) = standard_error::standard_error(format);
    let colours = format == LogFormat::Text && std::io::stderr().is_terminal();
    let text = || layer().with_writer(move || Escaping { lines: lines.clone(), format, colours });
    let lines = match format {
        LogFormat::Text if colours => text().boxed(),
        LogFormat::Text => text().with_ansi(false).fmt_fields(PlainFields).boxed(),
        LogFormat::Json => text().json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(lines).try_init().map_err(Failure::other)?;
    Ok(guard)
}
