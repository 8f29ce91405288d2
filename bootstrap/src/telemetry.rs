//! The log, on standard error, and traces.
//!
//! Text from outside can be in an event, such as an error of a database. All of it passes the filter of
//! `escape`: in text each field does, because the colours and the end of a line, which are ours, cannot be
//! told from it afterwards; in JSON each line.

mod json_lines;
mod plain;
mod standard_error;
mod traces;

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use tracing::Subscriber;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, WorkerGuard};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, registry};

use crate::failure::Failure;
use json_lines::JsonLines;
use plain::PlainFields;

pub(crate) use standard_error::LogFormat;
use traces::Traces;
pub(crate) use traces::{Parents, StorageSpans, TraceSettings};

/// The log and the traces of this process. Dropping it writes what is queued of the log.
pub(crate) struct Telemetry {
    traces: Option<Traces>,
    dropped_lines: ErrorCounter,
    _log: WorkerGuard,
}

/// Starts the log, with a filter in the syntax of `RUST_LOG`, and traces if there are settings for them.
pub(crate) fn start(
    format: LogFormat,
    filter: &str,
    traces: Option<&TraceSettings>,
) -> Result<Telemetry, Failure> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Failure::Usage(format!("RUST_LOG: {error}")))?;
    let (writer, log) = standard_error::standard_error(format);
    let dropped_lines = writer.error_counter();
    let traces = traces.map(Traces::start).transpose()?;
    match &traces {
        // One filter for all, which costs less than one for each layer.
        None => registry().with(filter).with(lines(format, writer)).try_init(),
        Some(traces) => {
            let lines = lines(format, writer).with_filter(filter);
            registry().with(lines).with(traces.layer()).try_init()
        }
    }
    .map_err(Failure::other)?;
    Ok(Telemetry { traces, dropped_lines, _log: log })
}

fn lines<S>(format: LogFormat, lines: NonBlocking) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let colours = format == LogFormat::Text && std::io::stderr().is_terminal();
    match format {
        LogFormat::Text => {
            layer().with_writer(lines).with_ansi(colours).fmt_fields(PlainFields).boxed()
        }
        LogFormat::Json => {
            let lines = move || JsonLines(lines.clone());
            layer().with_writer(lines).json().flatten_event(true).boxed()
        }
    }
}

impl Telemetry {
    /// Counts the lines that were dropped because standard error was too slow.
    pub(crate) fn dropped_lines(&self) -> impl Fn() -> u64 + Send + Sync + 'static {
        let dropped = self.dropped_lines.clone();
        move || u64::try_from(dropped.dropped_lines()).unwrap_or(u64::MAX)
    }

    /// Sends the spans that are queued, as far as that succeeds shortly before the deadline.
    pub(crate) async fn flush_until(&self, deadline: Instant) {
        const MARGIN: Duration = Duration::from_millis(200);
        if let Some(traces) = &self.traces {
            let limit = deadline.saturating_duration_since(Instant::now()).saturating_sub(MARGIN);
            traces.flush(limit).await;
        }
    }
}
