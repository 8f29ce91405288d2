//! Standard error for lines that many threads write at once.
//!
//! Whoever writes a line puts it into a queue and goes on: nobody waits for another, nor for a pipe
//! that is not read. A thread takes what has come in, writes it in one go, and pauses before it looks
//! again, so that a busy server is not woken for each line. What is in the queue is lost when the
//! process is killed, which is some milliseconds' worth.

use std::io::{self, BufWriter, Write};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::config::LogFormat;

/// How long lines may gather. Less than a person notices.
const PAUSE: Duration = Duration::from_millis(5);

/// How much is written at most in one go, in bytes.
const GROUP: usize = 64 * 1024;

/// How many lines may wait, some 2 MB. What comes beyond that is lost, and the log says how much.
const QUEUE: usize = 8_192;

/// Where lines go, and what waits at its end until they have been written.
pub(super) fn standard_error(format: LogFormat) -> (NonBlocking, WorkerGuard) {
    queue(io::stderr(), format)
}

fn queue(output: impl Write + Send + 'static, format: LogFormat) -> (NonBlocking, WorkerGuard) {
    let lost = Arc::new(OnceLock::new());
    let output = BufWriter::with_capacity(GROUP, output);
    let gathering = Gathering { output, format, lost: Arc::clone(&lost), told: 0 };
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(QUEUE);
    let (lines, guard) = builder.thread_name("log").finish(gathering);
    // Set once, here.
    let _ = lost.set(lines.error_counter());
    (lines, guard)
}

/// Writes in groups. It is flushed whenever the queue is empty.
struct Gathering<W: Write> {
    output: BufWriter<W>,
    format: LogFormat,
    /// How many lines did not fit into the queue.
    lost: Arc<OnceLock<ErrorCounter>>,
    /// How many of them the log has mentioned.
    told: usize,
}

impl<W: Write> Write for Gathering<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.output.write(lines)
    }

    fn flush(&mut self) -> io::Result<()> {
        let lost = self.lost.get().map_or(0, ErrorCounter::dropped_lines);
        if lost > self.told {
            let lines = lost - self.told;
            let message = format!("{lines} lines of the log are lost: they came too fast");
            match self.format {
                LogFormat::Text => writeln!(self.output, "{message}"),
                LogFormat::Json => {
                    writeln!(self.output, r#"{{"level":"WARN","message":"{message}"}}"#)
                }
            }?;
            self.told = lost;
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

    /// Takes what is written when it is asked for.
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
    fn every_line_is_written_before_the_end() {
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
    fn an_output_that_nobody_takes_stops_nobody_and_the_log_says_what_is_missing() {
        // Takes one write and then no more, until it is read.
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
        let word = text.lines().find(|line| line.contains("lines of the log are lost")).unwrap();
        let word: serde_json::Value = serde_json::from_str(word).unwrap();
        assert_eq!(word["level"], "WARN");
    }
}
