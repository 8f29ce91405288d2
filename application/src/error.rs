//! The errors of the use cases, one type for each: every arm is something that its use case can run
//! into and a caller can act on.

use thiserror::Error;
use todo_domain::{Denied, QuotaExceeded, Todo, TodoId, TooManyLabels};

use crate::cursor::CursorError;
use crate::ports::{BoxError, InsertError, StorageError, in_one_line};

#[derive(Debug, Error)]
pub enum ListError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error(transparent)]
    InvalidCursor(#[from] CursorError),
    /// The filter depends on what day it is, and it is not known where.
    #[error("the time zone of the user is not known: pass `time_zone`")]
    NoTimeZone,
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum GetError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error("the todo was not found")]
    NotFound,
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum CreateError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    /// The caller has used the idempotency key for another todo within the last 24 hours.
    #[error("the idempotency key was used for another todo")]
    KeyReused,
    /// Other servers were faster in every round. Nothing was created; a later retry may succeed.
    #[error("too many todos are created in the workspace at once")]
    Contended,
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum UpdateError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error("the todo was not found")]
    NotFound,
    /// The todo has another version than expected. This is its current state.
    #[error("the todo has another version than expected")]
    Conflict(Todo),
    #[error(transparent)]
    TooManyLabels(#[from] TooManyLabels),
    /// Concurrent updates won every round. Nothing was changed; a later retry may succeed.
    #[error("too many concurrent updates of the todo")]
    Contended,
    /// The todo would be longer, and the workspace holds as much as it may.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum DeleteError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error("the todo was not found")]
    NotFound,
    /// The todo has another version than expected. This is its current state.
    #[error("the todo has another version than expected")]
    Conflict(Todo),
    /// Concurrent updates won every round. Nothing was removed; a later retry may succeed.
    #[error("too many concurrent updates of the todo")]
    Contended,
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum ListChangesError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error("changes are not remembered")]
    Off,
    #[error("the cursor is that of no page of this history")]
    InvalidCursor,
    /// What came after the change is not known completely: it is too old, or of another workspace.
    #[error("the change is not remembered")]
    NotRemembered,
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum UndoError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error("changes are not remembered")]
    Off,
    #[error("the change was not found")]
    NotFound,
    /// The todo has another value in a field that the change touched. This is its current state.
    #[error("the todo has changed since")]
    Conflict(Todo),
    /// The change is one of a todo that was deleted afterwards.
    #[error("the todo was deleted since")]
    TodoDeleted(TodoId),
    /// Concurrent updates won every round. Nothing was changed; a later retry may succeed.
    #[error("too many concurrent updates of the todos")]
    Contended,
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

/// Why a change of a client was left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeptCause {
    #[error("the todo has changed since")]
    Changed,
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error("too many concurrent updates of the todo")]
    Contended,
}

/// Why not all that a client has changed was taken back.
#[derive(Debug, Error)]
pub enum UndoClientError {
    #[error(transparent)]
    Listing(#[from] ListChangesError),
    #[error(transparent)]
    Undoing(#[from] UndoError),
}

/// Why a call made no changes at all.
#[derive(Debug, Error)]
pub enum ChangeManyError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    /// The caller has used the idempotency key for something else within the last 24 hours.
    #[error("the idempotency key was used for something else")]
    KeyReused,
    /// Others were faster in every round. Nothing was changed; a later retry may succeed.
    #[error("too many concurrent changes")]
    Contended,
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

#[derive(Debug, Error)]
pub enum SuggestError {
    #[error(transparent)]
    Forbidden(#[from] Denied),
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

/// The storage failed, and no caller is to blame. The causes are for the log.
#[derive(Debug, Error)]
pub enum StorageFailure {
    /// The storage does not answer. A change may or may not have been made; a later retry may succeed.
    #[error("the storage is unavailable")]
    Unavailable(#[source] BoxError),
    /// The storage returned what it cannot contain: a defect of this program or damaged data. A retry
    /// does not help.
    #[error("the storage is inconsistent")]
    Inconsistent(#[source] BoxError),
}

impl StorageFailure {
    /// The cause and its own causes in one line, for the log.
    pub fn causes(&self) -> String {
        match self {
            Self::Unavailable(cause) | Self::Inconsistent(cause) => in_one_line(&**cause),
        }
    }
}

impl From<StorageError> for StorageFailure {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(cause) => Self::Unavailable(cause),
            StorageError::Corrupt { .. } | StorageError::Damaged(_) => {
                Self::Inconsistent(error.into())
            }
        }
    }
}

/// A new todo has a new id, in the workspace of its permit.
impl From<InsertError> for StorageFailure {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::Storage(error) => error.into(),
            InsertError::Duplicate(_)
            | InsertError::Behind(_)
            | InsertError::QuotaExceeded(_)
            | InsertError::OtherWorkspace(_) => Self::Inconsistent(error.into()),
        }
    }
}
