//! What can go wrong in a use case, as the caller can act on it.

use thiserror::Error;
use todo_domain::{Denied, Todo};

use crate::cursor::CursorError;
use crate::ports::StorageError;

/// Why a use case did not do what was asked. Nothing was changed, unless the storage failed at the
/// very moment of a change: see [`UseCaseError::Unavailable`].
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
    /// The caller has used the idempotency key for another todo within the last 24 hours.
    #[error("the idempotency key was used for another todo")]
    KeyReused,
    /// Too many others were changing the todo all the while. Trying again later helps.
    #[error("the todo is being changed by too many at once")]
    Contended,
    /// The cursor does not belong to this list.
    #[error(transparent)]
    InvalidCursor(#[from] CursorError),
    /// The storage does not answer, and a change is not known to have been made. Trying again later
    /// may help.
    #[error("the storage is not available")]
    Unavailable(#[source] StorageError),
    /// The storage answered with something that must not be: a fault of this program or of its data.
    #[error("the storage is inconsistent")]
    Inconsistent(#[source] StorageError),
}

impl From<StorageError> for UseCaseError {
    /// What a use case did not foresee. A stale version is foreseen wherever it can happen.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) => Self::Unavailable(error),
            StorageError::StaleVersion
            | StorageError::Duplicate(_)
            | StorageError::Corrupt { .. }
            | StorageError::Damaged(_) => Self::Inconsistent(error),
        }
    }
}
