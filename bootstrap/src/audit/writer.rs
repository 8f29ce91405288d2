//! The thread that writes records.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use todo_application::ports::Clock;

use super::output::{Output, Progress};
use super::queue::{Lines, News, Queue};
use super::record;

/// How long records are collected, so that a busy server is not woken for each. Changes do not wait for it.
const PAUSE: Duration = Duration::from_millis(5);

/// Between two attempts to write what could not be written.
const RETRY: Duration = Duration::from_millis(250);

/// How often the log reports that records cannot be written, or are lost.
const REPORTS: Duration = Duration::from_mins(1);

/// What more than this is given back when it was written, in bytes.
const USUAL_ROOM: usize = 256 * 1024;

pub(super) fn start(queue: Arc<Queue>, output: Output, clock: Arc<dyn Clock>) -> io::Result<()> {
    let thread = thread::Builder::new().name("audit-log".into());
    let mut writer = Writer { queue, output, clock, reported_lost: 0, reports: Reports::default() };
    thread.spawn(move || writer.run()).map(drop)
}

struct Writer {
    queue: Arc<Queue>,
    output: Output,
    clock: Arc<dyn Clock>,
    /// How many lost records the audit log itself reports.
    reported_lost: u64,
    reports: Reports,
}

impl Writer {
    fn run(&mut self) {
        let mut lines = Lines::default();
        loop {
            let News { is_to_reopen, is_closed } = self.queue.take(&mut lines, self.reported_lost);
            self.add_losses(&mut lines);
            let is_written = self.write(&mut lines, is_to_reopen);
            if !is_written || (is_closed && lines.bytes.is_empty()) {
                break;
            }
            self.reports.lost(self.queue.lost());
            if lines.bytes.is_empty() {
                continue;
            }
            self.queue.settle(lines.records);
            for change in lines.changes.drain(..) {
                // It may wait no longer.
                let _ = change.send(());
            }
            lines.records = 0;
            lines.bytes.clear();
            lines.bytes.shrink_to(USUAL_ROOM);
            if !self.queue.is_strict() && !is_closed {
                thread::sleep(PAUSE);
            }
        }
        let lost = self.queue.end();
        if lost > 0 {
            tracing::error!(records = lost, "audit records are lost: they cannot be written");
        }
    }

    /// Writes all lines, however long that takes; returns false if the program ends before. On disk, if a change
    /// waits for them.
    fn write(&mut self, lines: &mut Lines, is_to_reopen: bool) -> bool {
        let mut progress = Progress { lines: &lines.bytes, done: 0 };
        let mut news = News { is_to_reopen, is_closed: false };
        loop {
            if news.is_to_reopen {
                self.reopen(&mut progress);
            }
            let mut written = self.output.write(&mut progress);
            if written.is_ok() && !lines.changes.is_empty() {
                written = self.output.sync();
            }
            let Err(error) = written else {
                self.reports.recovered();
                return true;
            };
            if news.is_closed {
                return false;
            }
            self.queue.fail();
            // Their changes do not start.
            lines.changes.clear();
            self.reports.failed(&error);
            self.reports.lost(self.queue.lost());
            news = self.queue.pause(RETRY);
        }
    }

    fn reopen(&mut self, progress: &mut Progress<'_>) {
        match self.output.reopen(progress) {
            Ok(()) => tracing::info!("the audit log was opened anew"),
            Err(error) => {
                tracing::error!(%error, "the audit log cannot be opened anew: the old file is kept");
            }
        }
    }

    /// Adds a record of the records that were lost.
    fn add_losses(&mut self, lines: &mut Lines) {
        let lost = self.queue.lost() - self.reported_lost;
        if lost > 0 {
            record::losses(&mut lines.bytes, &self.clock.now().into(), lost);
            self.reported_lost += lost;
        }
    }
}

/// What the log says, at most once in a while.
#[derive(Default)]
struct Reports {
    failed: Option<Instant>,
    is_failing: bool,
    lost: (Option<Instant>, u64),
}

fn is_due(last: &mut Option<Instant>) -> bool {
    let is_due = last.is_none_or(|last| last.elapsed() >= REPORTS);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

impl Reports {
    fn failed(&mut self, error: &io::Error) {
        if is_due(&mut self.failed) {
            self.is_failing = true;
            tracing::warn!(%error, "the audit log cannot be written; it is tried again");
        }
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.is_failing) {
            tracing::info!("the audit log is written again");
        }
    }

    fn lost(&mut self, lost: u64) {
        let (at, reported) = &mut self.lost;
        if lost > *reported && is_due(at) {
            tracing::warn!(records = lost - *reported, "audit records were lost");
            *reported = lost;
        }
    }
}

#[cfg(test)]
mod tests;
