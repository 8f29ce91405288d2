//! Reading todos from lines.

use std::io::{self, BufRead, Read as _};
use std::mem;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use thiserror::Error;
use todo_application::archive;
use todo_application::domain::Todo;
use todo_application::ports::{Batch, HistoryItem, SourceHistory, TodoSource};
use tokio::sync::mpsc;

use super::history_line;
use super::line::{self, Header, LineError};

pub type ImportError = archive::ImportError<SourceError>;

/// Why no more todos could be read.
#[derive(Debug, Error)]
pub enum SourceError {
    #[error("line {number}: {problem}")]
    Line {
        /// Counted from 1.
        number: u64,
        problem: LineError,
    },
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("stopped")]
    Stopped,
}

/// The todos of an export. A thread of its own reads the lines: reading may wait for another program to
/// write, and must not delay a stop.
pub struct LineSource<'a> {
    batches: mpsc::Receiver<Batch>,
    /// `None` once it has been joined.
    reader: Option<JoinHandle<Result<(), SourceError>>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send + 'a>>,
}

impl<'a> LineSource<'a> {
    /// Begins to read, and checks the first line: before a database is created for something else than an
    /// export. Ends with [`SourceError::Stopped`] once `stop` is ready.
    pub async fn open(
        from: impl BufRead + Send + 'static,
        stop: impl Future<Output = ()> + Send + 'a,
    ) -> Result<Self, SourceError> {
        let (sender, batches) = mpsc::channel(1);
        let reader = thread::Builder::new().name("import".to_owned()).spawn(move || {
            read(from, |batch| match sender.blocking_send(batch) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_closed) => ControlFlow::Break(()),
            })
        })?;
        let mut source = Self { batches, reader: Some(reader), stop: Box::pin(stop) };
        // That of the first line, which is empty.
        source.next_batch().await?;
        Ok(source)
    }
}

#[async_trait]
impl TodoSource for LineSource<'_> {
    type Error = SourceError;

    async fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        let batch = tokio::select! {
            biased;
            () = &mut self.stop => return Err(SourceError::Stopped),
            batch = self.batches.recv() => batch,
        };
        match (batch, self.reader.take()) {
            (Some(batch), reader) => {
                self.reader = reader;
                Ok(Some(batch))
            }
            // The channel is closed, so the thread has ended or is about to.
            (None, Some(reader)) => {
                let panicked = |_| Err(io::Error::other("reading has broken off").into());
                reader.join().unwrap_or_else(panicked).map(|()| None)
            }
            (None, None) => Ok(None),
        }
    }
}

/// Reads to the end, or until `deliver` breaks. The first batch is empty, and delivered after the first line.
/// The todos before an error are delivered.
fn read(
    from: impl BufRead,
    mut deliver: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    let mut lines = Lines { from, number: 0, line: Vec::new() };
    let header = lines.next_as(Header::parse)?;
    let header = header.ok_or(LineError::Header).map_err(|problem| lines.error(problem))?;
    let empty = || Batch {
        announced: header.todos,
        todos: Vec::new(),
        positions: Vec::new(),
        history: header.has_history().then(|| SourceHistory {
            announced: header.changes.unwrap_or_default(),
            items: Vec::new(),
        }),
    };
    if deliver(empty()).is_break() {
        return Ok(());
    }
    let (mut batch, mut bytes) = (empty(), 0);
    loop {
        match lines.next_as(|line| Read::parse(line, &header)) {
            Ok(Some(read)) => {
                match read {
                    Read::Todo(todo) => {
                        batch.positions.push(lines.number);
                        bytes += todo.bytes();
                        batch.todos.push(todo);
                    }
                    Read::History(item) => {
                        bytes += item.bytes();
                        batch.history.get_or_insert_default().items.push(*item);
                    }
                }
                if batch.len() == Batch::MAX || bytes >= Batch::MAX_BYTES {
                    bytes = 0;
                    if deliver(mem::replace(&mut batch, empty())).is_break() {
                        return Ok(());
                    }
                }
            }
            end => {
                return match deliver(batch) {
                    ControlFlow::Continue(()) => end.map(drop),
                    ControlFlow::Break(()) => Ok(()),
                };
            }
        }
    }
}

/// A line but the first.
enum Read {
    Todo(Todo),
    History(Box<HistoryItem>),
}

impl Read {
    fn parse(line: &[u8], header: &Header) -> Result<Self, LineError> {
        let item = if header.has_history() { history_line::parse(line)? } else { None };
        let todo = || line::parse(line, header.version).map(Self::Todo);
        item.map_or_else(todo, |item| Ok(Self::History(Box::new(item))))
    }
}

/// Numbered lines without the blank ones.
struct Lines<R> {
    from: R,
    /// The number of the last line, counted from 1.
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next_as<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> Result<T, LineError>,
    ) -> Result<Option<T>, SourceError> {
        const LIMIT: u64 = line::MAX_BYTES as u64 + 1;
        loop {
            self.line.clear();
            let bytes = self.from.by_ref().take(LIMIT).read_until(b'\n', &mut self.line)?;
            if bytes == 0 {
                return Ok(None);
            }
            self.number += 1;
            if bytes > line::MAX_BYTES {
                let other = if self.number == 1 { line::check_format(&self.line) } else { Ok(()) };
                return Err(self.error(other.err().unwrap_or(LineError::TooLong)));
            }
            let line = self.line.trim_ascii_end();
            if !line.is_empty() {
                return parse(line).map(Some).map_err(|problem| self.error(problem));
            }
        }
    }

    fn error(&self, problem: LineError) -> SourceError {
        // An empty input has no line, and lacks the first one.
        SourceError::Line { number: self.number.max(1), problem }
    }
}
