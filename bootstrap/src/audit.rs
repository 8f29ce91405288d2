//! The audit log: who did what through which client, and what came of it; never what a todo says.
//!
//! A record is a line of JSON. It is made where the operation ends, and waits in a [`queue`] for the thread that
//! writes: no request waits for the file. Where a change must not be made without its record
//! (`TODO_AUDIT_STRICT`), a record of what is about to happen is on disk before it happens, and the queue keeps a
//! place for the one of what came of it.
//!
//! `tracing-appender`, which writes the log, does not fit: it counts lines instead of bytes, keeps no places, and
//! drops what it cannot write without a word.

mod line;
mod output;
mod queue;
mod record;
mod writer;

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use protected_mcp::{Admission, AnsweredRequest, Observer, Operation, PlannedChange};
use todo_application::domain::{Instant, Rfc3339};
use todo_application::ports::Clock;
use tokio::time::timeout;

use crate::failure::Failure;
use output::Output;
use queue::{Keeping, Queue};

/// How long a change waits for the record of it to be on disk.
const ADMISSION_TIME: Duration = Duration::from_secs(2);

/// How long the end of the program waits for records to be written.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Where the audit log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuditTarget {
    Off,
    StandardOutput,
    File(PathBuf),
}

impl AuditTarget {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            off if off.eq_ignore_ascii_case("off") => Self::Off,
            "-" => Self::StandardOutput,
            path => Self::File(path.into()),
        }
    }
}

/// The audit log of this process. Dropping it writes what is queued, for at most five seconds; what comes
/// later is lost.
pub struct AuditLog {
    queue: Arc<Queue>,
    observer: Arc<dyn Observer>,
}

impl AuditLog {
    /// Opens the log and starts the thread that writes it. `None` if it is off.
    pub(crate) fn start(
        target: &AuditTarget,
        is_strict: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, Failure> {
        let output = match target {
            AuditTarget::Off => return Ok(None),
            AuditTarget::StandardOutput => Output::standard(),
            AuditTarget::File(path) => Output::file(path),
        };
        let output = output
            .with_context(|| format!("the audit log {} cannot be opened", shown(target)))
            .context("TODO_AUDIT_LOG")
            .map_err(Failure::Unavailable)?;
        let queue = Arc::new(Queue::new(is_strict));
        writer::start(Arc::clone(&queue), output, Arc::clone(&clock)).map_err(Failure::other)?;
        let observer = Arc::new(Auditor { queue: Arc::clone(&queue), clock });
        Ok(Some(Self { queue, observer }))
    }

    /// What makes the records.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.observer)
    }

    /// How many records were written and lost since the start.
    pub fn counters(&self) -> AuditCounters {
        AuditCounters(Arc::clone(&self.queue))
    }

    /// Lets each SIGUSR1 open the file anew, which was moved away. Without a log, the signal does nothing, so that
    /// a log rotation that is still configured does not end the program.
    #[cfg(unix)]
    pub(crate) fn reopen_on_signal(log: Option<&Self>) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};

        let mut signals = signal(SignalKind::user_defined1())?;
        if let Some(Self { queue, .. }) = log {
            let queue = Arc::downgrade(queue);
            tokio::spawn(async move {
                while signals.recv().await.is_some()
                    && let Some(queue) = queue.upgrade()
                {
                    queue.reopen();
                }
            });
        }
        Ok(())
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        if !self.queue.close(DRAIN_TIME) {
            tracing::error!("stopping: audit records could not be written in time and are lost");
        }
    }
}

/// How many records were written and lost since the start.
#[derive(Clone)]
pub struct AuditCounters(Arc<Queue>);

impl AuditCounters {
    pub fn written(&self) -> u64 {
        self.0.written()
    }

    /// Because the queue was full, or because they could not be written.
    pub fn lost(&self) -> u64 {
        self.0.lost()
    }
}

fn shown(target: &AuditTarget) -> Cow<'_, str> {
    match target {
        AuditTarget::Off => "off".into(),
        AuditTarget::StandardOutput => "on standard output".into(),
        AuditTarget::File(path) => path.to_string_lossy(),
    }
}

/// Makes the records.
struct Auditor {
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
}

/// What makes the lines of a thread.
#[derive(Default)]
struct Maker {
    line: Vec<u8>,
    /// A second, and how it is written.
    second: Option<(i64, Rfc3339)>,
}

thread_local! {
    static MAKER: RefCell<Maker> = RefCell::default();
}

/// Lets `make` write a line of this instant, and `put` take it.
fn with_line<T>(
    at: Instant,
    make: impl FnOnce(&mut Vec<u8>, &Rfc3339),
    put: impl FnOnce(&[u8]) -> T,
) -> T {
    MAKER.with_borrow_mut(|Maker { line, second }| {
        let same = |(second, _): &(i64, Rfc3339)| *second == at.as_unix_seconds();
        second.take_if(|it| !same(it));
        let (_, text) = second.get_or_insert_with(|| (at.as_unix_seconds(), at.into()));
        text.set_millis_of(at);
        line.clear();
        make(line, text);
        put(line)
    })
}

impl Observer for Auditor {
    fn admit_change(&self, change: &PlannedChange<'_>) -> Option<Admission> {
        if !self.queue.is_strict() {
            return None;
        }
        let admitted = with_line(
            self.clock.now(),
            |line, at| record::intent(line, at, change),
            |line| self.queue.admit(line),
        );
        Some(Box::pin(async move {
            let (place, written) = admitted.ok_or(NOT_NOW)?;
            timeout(ADMISSION_TIME, written).await.ok().and_then(Result::ok).ok_or(NOT_NOW)?;
            place.keep();
            Ok(())
        }))
    }

    fn operation(&self, operation: &Operation<'_>) {
        let keeping = if operation.may_change && self.queue.is_strict() {
            Keeping::Promised
        } else {
            Keeping::IfThereIsRoom
        };
        with_line(
            self.clock.now(),
            |line, at| record::operation(line, at, operation),
            |line| self.queue.push(line, keeping),
        );
    }

    fn request(&self, request: &AnsweredRequest<'_>) {
        if record::is_refusal(request) {
            with_line(
                self.clock.now(),
                |line, at| record::refusal(line, at, request),
                |line| self.queue.push(line, Keeping::IfThereIsRoom),
            );
        }
    }
}

/// What a caller is answered whose change cannot be recorded.
const NOT_NOW: Cow<'static, str> = Cow::Borrowed(
    "Nothing was changed: changes are refused while the server cannot write its audit log. Try again later.",
);
