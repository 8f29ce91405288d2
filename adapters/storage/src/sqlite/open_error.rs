//! Why a database cannot be opened.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use thiserror::Error;
use todo_application::ports::BoxError;

/// Why a database file cannot be used, as one sentence that says what to do about it.
#[derive(Debug, Error)]
#[error("{} {problem}", file.display())]
pub struct OpenError {
    /// The database file, as an absolute path.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: OpenProblem,
}

/// What is wrong with a database file: the rest of a sentence that starts with its name.
#[derive(Debug, Error)]
pub enum OpenProblem {
    /// The directory of the file is not there.
    #[error(
        "lies in a directory that does not exist: create it, or set DATABASE_URL to another file"
    )]
    DirectoryMissing,
    /// There is no such file, and nobody asked for a new one.
    #[error("is not there: set DATABASE_URL to the database that you mean")]
    Missing,
    /// The path leads to a directory, a device or the like.
    #[error("is not a regular file: set DATABASE_URL to another one")]
    NotAFile,
    /// The file or its directory is read-only, or not for this user.
    #[error(
        "cannot be opened for reading and writing: let this user write to it and to its directory, \
         or set DATABASE_URL to another file"
    )]
    NotWritable,
    /// Another process has it open.
    #[error("is in use by another process: stop it, or set DATABASE_URL to another file")]
    InUse,
    /// The file is something else than an SQLite database.
    #[error("is not an SQLite database: move it away, or set DATABASE_URL to another file")]
    NotADatabase,
    /// The database belongs to another application.
    #[error("is the database of another application: set DATABASE_URL to another file")]
    Foreign,
    /// A later version of this program has been here.
    #[error(
        "has schema {found}, and this program knows none after {known}: use a newer todo-mcp, or \
         set DATABASE_URL to another file"
    )]
    NewerSchema {
        /// The schema it has.
        found: i32,
        /// The latest schema that this program knows.
        known: i32,
    },
    /// An earlier version of this program was the last one here.
    #[error(
        "has schema {found}, and this program reads schema {known}: bring it there with `todo-mcp \
         migrate`"
    )]
    OlderSchema {
        /// The schema it has.
        found: i32,
        /// The schema that this program reads.
        known: i32,
    },
    /// The database contradicts itself.
    #[error("is damaged: restore it from a backup, or set DATABASE_URL to another file")]
    Damaged,
    /// The file system cannot share memory between connections (some network file systems).
    #[error(
        "lies on a file system without support for a write-ahead log: set DATABASE_URL to a file \
         on a local disk"
    )]
    NoWriteAheadLog,
    /// Anything else that the operating system or SQLite reports.
    #[error("cannot be used ({0}): mend that, or set DATABASE_URL to another file")]
    Other(#[source] BoxError),
}

impl From<io::Error> for OpenProblem {
    fn from(error: io::Error) -> Self {
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
        if is(&[io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]) {
            Self::DirectoryMissing
        } else if is(&[io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
            Self::NotWritable
        } else {
            Self::Other(error.into())
        }
    }
}

impl From<rusqlite::Error> for OpenProblem {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::NotWritable
            }
            _ => Self::Other(error.into()),
        }
    }
}
