//! A copy of the database, page by page.

use std::ops::ControlFlow;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use thiserror::Error;
use todo_application::ports::BoxError;

use super::open_error::{OpenError, is_no_space};
use super::{log_marker, open};

/// The pages to copy between two progress reports: 4 MiB.
const PAGES: i32 = 1024;

/// An SQLite file at one instant, to be copied while other processes may use it.
pub struct SqliteBackup(Connection);

/// Why there is no usable copy.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The progress callback has stopped it.
    #[error("the backup was stopped")]
    Stopped,
    #[error(
        "the copy cannot be written because its disk is full, or a limit for files is reached: free \
         some space, or choose a path on another disk"
    )]
    NoSpace(#[source] BoxError),
    /// The database cannot be read, or the copy cannot be written.
    #[error("the database cannot be copied")]
    Failed(#[source] BoxError),
    /// The copy is damaged, and so probably is the database.
    #[error("the copy fails SQLite's check, so the database may be damaged: {0}")]
    Damaged(String),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        if is_no_space(&error) { Self::NoSpace(error.into()) } else { Self::Failed(error.into()) }
    }
}

impl SqliteBackup {
    /// Opens the database at `path`, which must exist. Any schema will do, as backups are made before
    /// a migration. Blocks on the disk.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        open::snapshot(path).map(|(connection, _schema)| Self(connection))
    }

    /// Copies the database to `copy`, an existing empty file, and checks the copy. Blocks on the disk.
    ///
    /// `progress` receives from time to time how many pages are copied, and of how many, and returns
    /// whether to continue. After an error the copy is unusable.
    pub fn copy_to(
        &self,
        copy: &Path,
        progress: impl FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<(), BackupError> {
        let mut target = open::connect(copy)?;
        // A rollback is never needed.
        target.pragma_update(None, "journal_mode", "off")?;
        self.copy(&mut target, progress)?;
        // So that a log of the source does not belong to the copy. A database of an earlier schema has
        // no marker, and damage is what the check is for.
        let _ = log_marker::change(&target);
        target.close().map_err(|(_, error)| error)?;
        check(copy)
    }

    /// In the transaction that the source was opened in, so that a concurrent write does not restart it.
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
                // Busy or locked, which cannot be: no other process knows the copy, and the source is in
                // a read transaction.
                return Err(BackupError::Failed(format!("{step:?}").into()));
            }
        }
    }
}

/// Reads every page of the copy from the disk.
fn check(copy: &Path) -> Result<(), BackupError> {
    let copy = open::connect(copy)?;
    let result: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if result == "ok" { Ok(()) } else { Err(BackupError::Damaged(result)) }
}

#[cfg(test)]
mod tests;
