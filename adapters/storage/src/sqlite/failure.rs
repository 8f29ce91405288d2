//! Errors of SQLite as errors of the port.

use rusqlite::ErrorCode;
use todo_application::ports::{BoxError, StorageError};

pub(super) fn failure(error: rusqlite::Error) -> StorageError {
    if is_damage(&error) { StorageError::Damaged(error.into()) } else { unavailable(error) }
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

pub(super) fn unavailable(error: impl Into<BoxError>) -> StorageError {
    StorageError::Unavailable(error.into())
}
