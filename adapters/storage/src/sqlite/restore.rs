//! Putting a backup in the place of the database.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;
use todo_application::ports::BoxError;

use super::lock::{self, Lock};
use super::open_error::OpenError;
use super::schema::{self, Origin};
use super::{open, unlogged};

/// What SQLite may have beside a database, and would apply to another file of its name.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// A database that is about to be replaced. No other todo-mcp can open it while this exists.
pub struct SqliteRestore {
    file: PathBuf,
    lock: Lock,
}

/// Why a file cannot be restored: the rest of a sentence that starts with its path.
#[derive(Debug, Error)]
pub enum RestoreProblem {
    #[error("is not an SQLite database: choose a file made by `todo-mcp backup`")]
    NotADatabase,
    #[error("is the database of another application: choose a file made by `todo-mcp backup`")]
    Foreign,
    #[error("is empty: choose a file made by `todo-mcp backup`")]
    Empty,
    /// A later version of this program has made it.
    #[error(
        "has schema {found}, and this program supports schemas up to {known}: use a newer todo-mcp"
    )]
    NewerSchema { found: i32, known: i32 },
    /// What SQLite's check has found.
    #[error("is damaged ({0}): choose another backup")]
    Damaged(String),
    /// It is not complete without the files beside it.
    #[error(
        "has a log beside it (`-wal` or `-journal`), so it is a database in use: make a backup of it with \
         `todo-mcp backup`, and restore that"
    )]
    HasLog,
    #[error("cannot be read ({0}): choose another file")]
    Other(#[source] BoxError),
}

impl From<rusqlite::Error> for RestoreProblem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged(error.to_string()),
            _ => Self::Other(error.into()),
        }
    }
}

impl SqliteRestore {
    /// Locks the database at `path`, which need not exist and may be damaged.
    pub fn begin(path: &Path) -> Result<Self, OpenError> {
        open::with_path(path, |path| {
            let file = open::locate(path)?;
            let lock = Lock::take(&file)?;
            Ok(Self { file, lock })
        })
    }

    /// The database, without links in its path.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Fails if the backup is not complete in itself.
    pub fn check_alone(backup: &Path) -> Result<(), RestoreProblem> {
        let is_there =
            |log: &str| lock::beside(backup, log).metadata().is_ok_and(|log| log.len() > 0);
        if LOGS.into_iter().any(is_there) { Err(RestoreProblem::HasLog) } else { Ok(()) }
    }

    /// Reads every page of a copy of the backup, and fails if it cannot be served. Blocks on the disk.
    pub fn check(copy: &Path) -> Result<(), RestoreProblem> {
        let copy = unlogged::open(copy)?;
        match schema::origin(&copy)? {
            Origin::Foreign => return Err(RestoreProblem::Foreign),
            Origin::Ours { schema: 0 } => return Err(RestoreProblem::Empty),
            Origin::Ours { schema: found } if found > schema::CURRENT => {
                return Err(RestoreProblem::NewerSchema { found, known: schema::CURRENT });
            }
            Origin::Ours { .. } => {}
        }
        let found: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        // SQLite begins the list of damage with a line for the name of the database.
        let found = found.lines().last().unwrap_or_default();
        if found == "ok" { Ok(()) } else { Err(RestoreProblem::Damaged(found.to_owned())) }
    }

    /// Moves the database and its logs to `aside`, and then calls `put`, which puts the
    /// backup in their place. If that is interrupted, the database is not opened until it is restored
    /// again. Returns whether there was a database.
    pub fn replace<E: From<io::Error>>(
        mut self,
        aside: &Path,
        put: impl FnOnce() -> Result<(), E>,
    ) -> Result<bool, E> {
        self.lock.keep();
        let is_repeated = self.lock.begin_restore()?;
        let existed = rename(&self.file, aside)?;
        for log in LOGS {
            rename(&lock::beside(&self.file, log), &lock::beside(aside, log))?;
        }
        // An index of the log, which SQLite makes again.
        if let Err(error) = fs::remove_file(lock::beside(&self.file, "-shm"))
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error.into());
        }
        if let Err(error) = put() {
            // As it was, so that the server can start: but not after an earlier restore was interrupted,
            // which has left no database here.
            for log in LOGS {
                rename(&lock::beside(aside, log), &lock::beside(&self.file, log))?;
            }
            rename(aside, &self.file)?;
            if !is_repeated {
                self.lock.end_restore()?;
            }
            return Err(error);
        }
        self.lock.end_restore()?;
        Ok(existed)
    }
}

/// Renames a file, and returns whether it exists.
fn rename(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
