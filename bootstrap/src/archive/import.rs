//! From lines to a store.

use std::io::{self, BufRead, Read as _};
use std::ops::ControlFlow;
use std::{fmt, mem, thread};

use indicatif::HumanCount;
use thiserror::Error;
use todo_application::domain::Todo;
use todo_application::ports::{Loaded, StorageError, TodoLoader};
use tokio::sync::mpsc;

use super::line::{self, Header, LineError};
use super::{BATCH, Todos};

/// What became of the todos that were read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were added.
    pub added: u64,
    /// How many were there already, the same in every field.
    pub same: u64,
    /// How many are there with other content, and stay as they are.
    pub different: u64,
    /// The number of the first line with one of those.
    pub first_different: Option<u64>,
}

impl Tally {
    fn total(&self) -> u64 {
        self.added + self.same + self.different
    }

    fn add(&mut self, number: u64, loaded: Loaded) {
        match loaded {
            Loaded::Added => self.added += 1,
            Loaded::Same => self.same += 1,
            Loaded::Different => {
                self.different += 1;
                self.first_different.get_or_insert(number);
            }
        }
    }
}

/// As the beginning of a sentence.
impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Imported {}", Todos(self.added))?;
        match self.same {
            0 => {}
            1 => formatter.write_str("; 1 was there already")?,
            many => write!(formatter, "; {} were there already", HumanCount(many))?,
        }
        let Some(first) = self.first_different else { return Ok(()) };
        match self.different {
            1 => write!(
                formatter,
                "; 1 is there with other content and stays as it is (line {first})"
            ),
            many => write!(
                formatter,
                "; {} are there with other content and stay as they are (the first in line {first})",
                HumanCount(many)
            ),
        }
    }
}

/// Why an import stopped. What the tally counts is in the store, and stays there.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A line is not what it should be.
    #[error("line {number}: {problem}")]
    Line {
        /// Which one, counted from 1.
        number: u64,
        /// What is wrong with it.
        problem: LineError,
    },
    /// There are not as many todos as the first line says. Those that there are have been imported.
    #[error(
        "the first line says that {announced} todos follow, and {found} do: is the file complete?"
    )]
    Incomplete {
        /// How many there should be.
        announced: u64,
        /// How many there are.
        found: u64,
    },
    /// The lines could not be read to the end.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// Somebody wanted it to stop.
    #[error("stopped")]
    Stopped,
    /// The store did not take them.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Reads todos and adds those that are not there yet, unless it is time to `stop`. `progress` hears
/// how many were read, and of how many if the first line says so.
///
/// A line that is wrong stops it; those before it are imported all the same. Doing it again, with the
/// same lines or with more, adds what is missing.
pub async fn import(
    from: impl BufRead + Send + 'static,
    loader: &dyn TodoLoader,
    tally: &mut Tally,
    mut progress: impl FnMut(u64, Option<u64>),
    stop: impl Future<Output = ()>,
) -> Result<(), ImportError> {
    let (sender, mut batches) = mpsc::channel(1);
    // On a thread of its own: reading may wait for somebody who writes, and whoever gives up waiting
    // for all this has not to wait for that.
    let reader = thread::Builder::new().name("import".to_owned()).spawn(move || {
        read(from, |batch| match sender.blocking_send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_nobody_waits) => ControlFlow::Break(()),
        })
    })?;
    tokio::pin!(stop);
    loop {
        // Between two batches only: what was begun is finished, and counted.
        let batch = tokio::select! {
            biased;
            () = &mut stop => return Err(ImportError::Stopped),
            batch = batches.recv() => batch,
        };
        let Some(Batch { lines, todos, announced }) = batch else { break };
        for (line, loaded) in lines.into_iter().zip(loader.load(todos).await?) {
            tally.add(line, loaded);
        }
        progress(tally.total(), announced);
    }
    // It has nothing more to send, so it is done.
    reader.join().unwrap_or_else(|_| Err(io::Error::other("reading has broken off").into()))
}

/// Todos, the numbers of their lines, and how many there are in all, as far as the first line says.
struct Batch {
    lines: Vec<u64>,
    todos: Vec<Todo>,
    announced: Option<u64>,
}

impl Batch {
    fn new(announced: Option<u64>) -> Self {
        Self { lines: Vec::new(), todos: Vec::new(), announced }
    }
}

/// Reads to the end, or until nobody takes what is read. What comes before an error is delivered.
fn read(
    from: impl BufRead,
    mut deliver: impl FnMut(Batch) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    let mut lines = Lines { from, number: 0, line: Vec::new() };
    let first = lines.next_as(Header::parse)?;
    let announced = first.ok_or(LineError::Header).map_err(|problem| lines.wrong(problem))?.todos;
    let mut found = 0;
    let mut batch = Batch::new(announced);
    loop {
        let todo = lines.next_as(line::parse);
        if let Ok(Some(todo)) = todo {
            found += 1;
            batch.lines.push(lines.number);
            batch.todos.push(todo);
            if batch.todos.len() == BATCH.get() {
                let full = mem::replace(&mut batch, Batch::new(announced));
                if deliver(full).is_break() {
                    return Ok(());
                }
            }
        } else {
            if deliver(batch).is_break() {
                return Ok(());
            }
            todo?;
            break;
        }
    }
    match announced {
        Some(announced) if announced != found => Err(ImportError::Incomplete { announced, found }),
        _ => Ok(()),
    }
}

/// Lines with their numbers, blank ones left out.
struct Lines<R> {
    from: R,
    /// That of the last one, counted from 1.
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next_as<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> Result<T, LineError>,
    ) -> Result<Option<T>, ImportError> {
        const LIMIT: u64 = line::MAX_BYTES as u64 + 1;
        loop {
            self.line.clear();
            let bytes = self.from.by_ref().take(LIMIT).read_until(b'\n', &mut self.line)?;
            if bytes == 0 {
                return Ok(None);
            }
            self.number += 1;
            if bytes > line::MAX_BYTES {
                return Err(self.wrong(LineError::TooLong));
            }
            let line = self.line.trim_ascii_end();
            if !line.is_empty() {
                return parse(line).map(Some).map_err(|problem| self.wrong(problem));
            }
        }
    }

    fn wrong(&self, problem: LineError) -> ImportError {
        // An empty input has no line that could be wrong, but lacks the first one.
        ImportError::Line { number: self.number.max(1), problem }
    }
}
