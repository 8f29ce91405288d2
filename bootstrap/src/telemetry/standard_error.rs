//! Standard error for lines that many threads write at once.
//!
//! Writing a line puts it into a queue: a request waits neither for other requests nor for a pipe
//! that is not read. One thread writes all queued lines at once, and pauses before it looks again, so
//! that a busy server is not woken for each line. When the process is killed, the lines of the last
//! few milliseconds are lost.

use std::io::{self, BufWriter, Write};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// How long lines are collected. Less than a person notices.
const PAUSE: Duration = Duration::from_millis(5);

/// The most that is written at once, in bytes.
const GROUP: usize = 64 * 1024;

/// The most lines in the queue, about 2 MB. Lines beyond that are dropped, and the log reports how
/// many.
const QUEUE: usize = 8_192;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    /// One JSON object per line.
    Json,
}

/// The writer of the log. Dropping the guard waits until everything is written.
pub(super) fn standard_error(format: LogFormat) -> (NonBlocking, WorkerGuard) {
    queue(io::stderr(), format)
}

fn queue(output: impl Write + Send + 'static, format: LogFormat) -> (NonBlocking, WorkerGuard) {
    let dropped = Arc::new(OnceLock::new());
    let output = BufWriter::with_capacity(GROUP, output);
    let batches = Batches { output, format, dropped: Arc::clone(&dropped), reported: 0 };
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE);
    let (lines, guard) = builder.thread_name("log").finish(batches);
    // The counter exists only now; nothing else sets it.
    let _ = dropped.set(lines.error_counter());
    (lines, guard)
}

/// Writes lines in batches. The queue flushes it whenever it is empty.
struct Batches<W: Write> {
    output: BufWriter<W>,
    format: LogFormat,
    /// Counts the lines that did not fit into the queue.
    dropped: Arc<OnceLock<ErrorCounter>>,
    /// How many of them the log has reported.
    reported: usize,
}

impl<W: Write> Write for Batches<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.output.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        let dropped = self.dropped.get().map_or(0, ErrorCounter::dropped_lines);
        if dropped > self.reported {
            let lines = dropped - self.reported;
            let message = format!("{lines} log lines dropped: standard error is too slow");
            match self.format {
                LogFormat::Text => writeln!(self.output, "{message}"),
                LogFormat::Json => {
                    writeln!(self.output, r#"{{"level":"WARN","message":"{message}"}}"#)
                }
            }?;
            self.reported = dropped;
        }
        self.output.flush()?;
        sleep(PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Hands each write to the test.
    struct Reader(SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn text(read: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(read.iter().flatten().collect()).unwrap()
    }

    #[test]
    fn every_line_is_written_before_the_guard_is_dropped() {
        let (write, read) = sync_channel(QUEUE);
        let (mut lines, guard) = queue(Reader(write), LogFormat::Text);
        let mut expected = String::new();
        for number in 0..1_000 {
            let line = format!("line {number}\n");
            lines.write_all(line.as_bytes()).unwrap();
            expected += &line;
        }
        drop(guard);
        drop(lines);
        assert_eq!(text(&read), expected);
    }

    #[test]
    fn a_slow_output_blocks_no_writer_and_the_log_reports_dropped_lines() {
        // Accepts no write until the test reads.
        let (write, read) = sync_channel(0);
        let (mut lines, guard) = queue(Reader(write), LogFormat::Json);
        let line = "x".repeat(1_000) + "\n";
        let count = 2 * QUEUE;
        for _ in 0..count {
            lines.write_all(line.as_bytes()).unwrap();
        }
        let reading = std::thread::spawn(move || text(&read));
        drop(guard);
        drop(lines);
        let text = reading.join().unwrap();
        let report = text.lines().find(|line| line.contains("log lines dropped")).unwrap();
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        assert_eq!(report["level"], "WARN");
    }
}
