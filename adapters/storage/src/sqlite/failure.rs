//! Errors of SQLite as errors of the port.

use rusqlite::{ErrorCode, ffi};
use thiserror::Error;
use todo_application::ports::{BoxError, StorageError};

/// What to do about damage, for the log.
#[derive(Debug, Error)]
#[error(
    "the database file is damaged: stop the server and restore a backup with `todo-mcp restore FILE`"
)]
struct DamagedFile(#[source] BoxError);

pub(super) fn failure(error: rusqlite::Error) -> StorageError {
    if may_pass(&error) { unavailable(error) } else { damaged(error) }
}

/// Whether SQLite has found a page that contradicts another one, or no database at all.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether a later retry may succeed: something else is in the way, or there is no room. The statements
/// do not change, so every other error is one of the file.
pub(super) fn may_pass(error: &rusqlite::Error) -> bool {
    let Some(error) = error.sqlite_error() else { return false };
    // The file ends too early, or its file system has found damage.
    let is_damage =
        [ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS, ffi::SQLITE_IOERR_DATA];
    let may_pass = matches!(
        error.code,
        ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::OperationAborted
            | ErrorCode::OperationInterrupted
            | ErrorCode::OutOfMemory
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            // A rule that another program has added: ours cannot be violated.
            | ErrorCode::ConstraintViolation
    );
    may_pass && !is_damage.contains(&error.extended_code)
}

pub(super) fn damaged(error: impl Into<BoxError>) -> StorageError {
    StorageError::Damaged(DamagedFile(error.into()).into())
}

/// Another program has shortened the write-ahead log of the open database.
pub(super) fn log_truncated() -> StorageError {
    damaged("its write-ahead log has been truncated by another program")
}

pub(super) fn unavailable(error: impl Into<BoxError>) -> StorageError {
    StorageError::Unavailable(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_unavailable() {
        for (code, is_unavailable) in [
            (ffi::SQLITE_BUSY, true),
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_IOERR_WRITE, true),
            (ffi::SQLITE_IOERR_SHORT_READ, false),
            (ffi::SQLITE_IOERR_CORRUPTFS, false),
            (ffi::SQLITE_CORRUPT, false),
            (ffi::SQLITE_NOTADB, false),
            // A table or column is missing.
            (ffi::SQLITE_ERROR, false),
        ] {
            let error = failure(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
            assert_eq!(matches!(error, StorageError::Unavailable(_)), is_unavailable, "{code}");
        }
        let error = failure(rusqlite::Error::IntegralValueOutOfRange(0, 7));
        let StorageError::Damaged(cause) = error else { panic!("{error:?}") };
        assert!(cause.to_string().contains("todo-mcp restore FILE"), "{cause}");
    }
}
