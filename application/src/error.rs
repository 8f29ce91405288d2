//! What can go wrong in a use case, as the caller can act on it.

use thiserror::Error;
use todo_domain::{Denied, Todo};

use crate::cursor::CursorError;
use crate::ports::StorageError;

/// Why a use case did not do what was asked. Nothing was changed.
#[derive(Debug, Error)]
pub enum UseCaseError {
    /// The policy says no.
    #[error(transparent)]
    Forbidden(#[from] Denied),
    /// There is no such todo in the caller's workspace.
    #[error("there is no such todo")]
    NotFound,
    /// The todo has another version than the caller expected: this one.
    #[error("the todo has changed in the meantime")]
    Conflict(Box<Todo>),
    /// The cursor does not belong to this list.
    #[error(transparent)]
    InvalidCursor(#[from] CursorError),
    /// The storage does not answer. Trying again later may help.
    #[error("the storage is not available")]
    Unavailable(#[source] StorageError),
    /// The storage answered with something that must not be: a fault of this program or of its data.
    #[error("the storage is inconsistent")]
    Inconsistent(#[source] StorageError),
}

impl From<StorageError> for UseCaseError {
    /// What a use case did not foresee. A stale version is foreseen wherever it can happen, so here
    /// it means that a todo changes faster than we can keep up with: trying again is right.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) | StorageError::StaleVersion => Self::Unavailable(error),
            StorageError::Duplicate(_) | StorageError::Corrupt { .. } => Self::Inconsistent(error),
        }
    }
}
