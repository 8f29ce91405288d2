//! A copy of the database, page by page.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use thiserror::Error;
use todo_application::ports::BoxError;

use super::open;
use super::open_error::OpenError;

/// How many pages to copy between two reports: 4 MiB.
const PAGES: i32 = 1024;

/// An SQLite file at one instant, to be copied whoever uses it meanwhile.
pub struct SqliteBackup(Connection);

/// Why there is no copy, or none that is any good.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Whoever watched has said stop.
    #[error("it was stopped")]
    Stopped,
    /// The database cannot be read, or the copy cannot be written.
    #[error("the database cannot be copied")]
    Failed(#[source] BoxError),
    /// The copy contradicts itself, and so does the database then.
    #[error("the copy does not pass SQLite's check, and so the database may be damaged: {0}")]
    Damaged(String),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl SqliteBackup {
    /// Opens the database at `path`, which has to be there. Any schema will do: before a migration is
    /// when copies are made. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        open::snapshot(path).map(|(connection, _schema)| Self(connection))
    }

    /// Copies it over `copy`, an empty file that is there, and checks the copy. Blocks on the disk.
    ///
    /// `progress` hears now and then how many pages are copied, and of how many, and says whether to
    /// go on. On an error the copy is of no use.
    pub fn copy_to(
        &self,
        copy: &Path,
        progress: impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<(), BackupError> {
        let mut target = open::connect(copy)?;
        // There is nothing to go back to.
        target.pragma_update(None, "journal_mode", "off")?;
        self.copy(&mut target, progress)?;
        target.close().map_err(|(_, error)| error)?;
        check(copy)
    }

    /// In one transaction, the one that this was opened in: a write meanwhile does not make it start
    /// again.
    fn copy(
        &self,
        target: &mut Connection,
        mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<(), BackupError> {
        let backup = Backup::new(&self.0, target)?;
        loop {
            let step = backup.step(PAGES)?;
            let pages = backup.progress();
            let [left, total] = [pages.remaining, pages.pagecount].map(i32::unsigned_abs);
            if progress(u64::from(total - left), u64::from(total)).is_break() {
                return Err(BackupError::Stopped);
            }
            if step == StepResult::Done {
                return Ok(());
            }
            if step != StepResult::More {
                // Nobody else knows the copy, and our transaction is open on the database.
                return Err(BackupError::Failed(format!("{step:?}").into()));
            }
        }
    }
}

/// Reads the copy as it is on disk, every page of it.
fn check(copy: &Path) -> Result<(), BackupError> {
    let copy = open::connect(copy)?;
    let verdict: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(BackupError::Damaged(verdict)) }
}

#[cfg(test)]
mod tests;
