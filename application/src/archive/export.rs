use std::num::NonZeroUsize;

use thiserror::Error;
use todo_domain::OperatorPermit;

use crate::ports::{StorageError, TodoSink, TodoSnapshot};

/// How many todos are read at once: at most 10 MiB.
const PAGE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);

/// Why an export is incomplete. `E` is the error of the sink.
#[derive(Debug, Error)]
pub enum ExportError<E> {
    #[error(transparent)]
    Storage(StorageError),
    #[error(transparent)]
    Sink(E),
}

/// Writes all todos of a snapshot to a sink, and returns their number. `progress` receives the number
/// written so far.
///
/// The same todos are written in the same order, whichever store they come from. With their history, all changes
/// that are remembered follow.
pub async fn export<S: TodoSink>(
    permit: &OperatorPermit,
    snapshot: &mut dyn TodoSnapshot,
    sink: &mut S,
    with_history: bool,
    mut progress: impl FnMut(u64),
) -> Result<u64, ExportError<S::Error>> {
    let changes = if with_history {
        Some(snapshot.count_changes(permit).await.map_err(ExportError::Storage)?)
    } else {
        None
    };
    sink.begin(snapshot.count(), changes).map_err(ExportError::Sink)?;
    let mut written = 0;
    loop {
        let page = snapshot.next_page(permit, PAGE).await.map_err(ExportError::Storage)?;
        if page.is_empty() {
            break;
        }
        for todo in &page {
            sink.write(todo).map_err(ExportError::Sink)?;
        }
        written += page.len() as u64;
        progress(written);
    }
    if with_history {
        write_history(permit, snapshot, sink).await?;
    }
    sink.finish().map_err(ExportError::Sink)?;
    Ok(written)
}

async fn write_history<S: TodoSink>(
    permit: &OperatorPermit,
    snapshot: &mut dyn TodoSnapshot,
    sink: &mut S,
) -> Result<(), ExportError<S::Error>> {
    loop {
        let part = snapshot.next_history(permit, PAGE).await.map_err(ExportError::Storage)?;
        if part.is_empty() {
            return Ok(());
        }
        part.iter().try_for_each(|item| sink.write_history(item)).map_err(ExportError::Sink)?;
    }
}
