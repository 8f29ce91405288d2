//! From a store to lines.

use std::io::{self, Write};

use thiserror::Error;
use todo_application::ports::{StorageError, TodoSnapshot};

use super::BATCH;
use super::line::{Header, Line};

/// Why an export is not whole.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The store could not be read to the end.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// What was read could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes all todos, and says how many there are. `progress` hears how many are written.
///
/// The same todos make the same bytes, wherever they are kept.
pub async fn export(
    snapshot: &mut dyn TodoSnapshot,
    to: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<u64, ExportError> {
    write_line(to, &Header::new(snapshot.count()))?;
    let mut written = 0;
    loop {
        let page = snapshot.next_page(BATCH).await?;
        if page.is_empty() {
            break;
        }
        for todo in &page {
            write_line(to, &Line::from(todo))?;
        }
        written += page.len() as u64;
        progress(written);
    }
    to.flush()?;
    Ok(written)
}

fn write_line(to: &mut impl Write, line: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}
