//! Why a database file cannot be opened.

use std::io;
use std::path::PathBuf;

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;
use todo_application::ports::BoxError;

/// The longest path that SQLite opens: 512 bytes, less those for the names of the files beside it.
pub(super) const MAX_PATH: usize = 504;

/// The longest name of a database: the 255 bytes of most file systems, with room for the longer names of the
/// files beside it.
pub(super) const MAX_NAME: usize = 200;

/// Why a database file cannot be used, as one sentence that says what to do about it.
#[derive(Debug, Error)]
#[error("{} {problem}", file.display())]
pub struct OpenError {
    /// The database file, as an absolute path.
    pub file: PathBuf,
    pub problem: OpenProblem,
}

/// The problem with a database file: the rest of a sentence that starts with its path.
#[derive(Debug, Error)]
pub enum OpenProblem {
    #[error(
        "is in a directory that does not exist: create it, or set DATABASE_URL to another file"
    )]
    DirectoryMissing,
    /// The file does not exist, and must not be created.
    #[error("does not exist: set DATABASE_URL to an existing database")]
    Missing,
    #[error(
        "is a link to a file that does not exist: set DATABASE_URL to that file, or to another one"
    )]
    BrokenLink,
    /// The path leads to a directory, a device or the like.
    #[error("is not a regular file: set DATABASE_URL to another one")]
    NotAFile,
    /// The file or its directory is read-only, or not accessible for this user.
    #[error(
        "cannot be opened for reading and writing: let this user write to it and to its directory, \
         or set DATABASE_URL to another file"
    )]
    NotWritable,
    #[error("is in use by another process: stop it, or set DATABASE_URL to another file")]
    InUse,
    /// Its write-ahead log was written for another file.
    #[error(
        "has a write-ahead log beside it (-wal) that belongs to another file and was not applied: \
         move the files ending in -wal and -shm away if you have copied a backup there (`todo-mcp \
         restore FILE` does both), or set DATABASE_URL to another file"
    )]
    ForeignLog,
    /// A restore was interrupted while it moved files.
    #[error(
        "was left by an interrupted restore: run `todo-mcp restore FILE` again, or set DATABASE_URL \
         to another file"
    )]
    Restoring,
    #[error("is not an SQLite database: move it away, or set DATABASE_URL to another file")]
    NotADatabase,
    #[error("is the database of another application: set DATABASE_URL to another file")]
    Foreign,
    /// A later version of this program has migrated it.
    #[error(
        "has schema {found}, and this program supports schemas up to {known}: use a newer todo-mcp, or \
         set DATABASE_URL to another file"
    )]
    NewerSchema { found: i32, known: i32 },
    /// Only earlier versions of this program have migrated it.
    #[error(
        "has schema {found}, and this program reads schema {known}: migrate it with `todo-mcp migrate`"
    )]
    OlderSchema { found: i32, known: i32 },
    #[error(
        "is damaged: restore a backup with `todo-mcp restore FILE`, or set DATABASE_URL to another file"
    )]
    Damaged,
    #[error(
        "has a path of more than {MAX_PATH} bytes, or a name of more than {MAX_NAME}: set DATABASE_URL to \
         a file with a shorter one"
    )]
    PathTooLong,
    /// There is no room for the file or for what SQLite keeps beside it.
    #[error(
        "cannot be written because its disk is full, or a limit for files is reached ({0}): free some \
         space, or set DATABASE_URL to a file on another disk"
    )]
    NoSpace(#[source] BoxError),
    #[error(
        "cannot be read or written ({0}): check the disk that it is on, or set DATABASE_URL to a file \
         on another disk"
    )]
    Disk(#[source] BoxError),
    /// The file system cannot share memory between connections (some network file systems).
    #[error(
        "is on a file system without support for a write-ahead log: set DATABASE_URL to a file \
         on a local disk"
    )]
    NoWriteAheadLog,
    /// Anything else that the operating system or SQLite reports.
    #[error("cannot be used ({0}): fix this, or set DATABASE_URL to another file")]
    Other(#[source] BoxError),
}

impl From<io::Error> for OpenProblem {
    fn from(error: io::Error) -> Self {
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
        if is(&[io::ErrorKind::NotFound, io::ErrorKind::NotADirectory]) {
            Self::DirectoryMissing
        } else if is(&[io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
            Self::NotWritable
        } else if is(&[
            io::ErrorKind::StorageFull,
            io::ErrorKind::QuotaExceeded,
            io::ErrorKind::FileTooLarge,
        ]) {
            Self::NoSpace(error.into())
        } else if is(&[io::ErrorKind::InvalidFilename]) {
            Self::PathTooLong
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
            Some(ErrorCode::DiskFull) => Self::NoSpace(error.into()),
            Some(ErrorCode::SystemIoFailure) if is_no_space(&error) => Self::NoSpace(error.into()),
            Some(ErrorCode::SystemIoFailure) => Self::Disk(error.into()),
            _ => Self::Other(error.into()),
        }
    }
}

/// Whether SQLite could not extend a file. It reports `SQLITE_FULL` for some files only.
pub(super) fn is_no_space(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_FULL | ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE))
}
