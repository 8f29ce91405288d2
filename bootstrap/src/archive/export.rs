//! Writing todos as lines.

use std::io::{self, Write};

use protected_mcp::to_json_line;
use serde::Serialize;
use todo_application::archive;
use todo_application::domain::{OperatorPermit, Todo};
use todo_application::ports::{HistoryItem, TodoSink, TodoSnapshot};

use super::history_line::HistoryLine;
use super::line::{Header, Line};

pub type ExportError = archive::ExportError<io::Error>;

/// Writes all todos as lines, and returns their number. `progress` receives the number written so far.
///
/// The same todos make the same bytes, whichever store they come from.
pub async fn export(
    permit: &OperatorPermit,
    snapshot: &mut dyn TodoSnapshot,
    to: &mut impl Write,
    with_history: bool,
    progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    archive::export(permit, snapshot, &mut LineSink(to), with_history, progress).await
}

struct LineSink<W>(W);

impl<W: Write> LineSink<W> {
    fn write_line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let line = to_json_line(line)?;
        self.0.write_all(line.as_bytes())?;
        self.0.write_all(b"\n")
    }
}

impl<W: Write> TodoSink for LineSink<W> {
    type Error = io::Error;

    fn begin(&mut self, todos: u64, changes: Option<u64>) -> io::Result<()> {
        self.write_line(&Header::new(todos, changes))
    }

    fn write(&mut self, todo: &Todo) -> io::Result<()> {
        self.write_line(&Line::from(todo))
    }

    fn write_history(&mut self, item: &HistoryItem) -> io::Result<()> {
        self.write_line(&HistoryLine::from(item))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
