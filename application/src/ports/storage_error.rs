use std::iter;

use thiserror::Error;
use todo_domain::{OtherWorkspace, QuotaExceeded, TodoId};

/// The cause of a failure outside of this program, for the log and never for a caller.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a store did not answer a query, or did not carry out a write that was allowed.
#[derive(Debug, Error)]
pub enum StorageError {
    /// A stored row is not one that this program writes.
    #[error("the stored todo {id} cannot be read")]
    Corrupt {
        /// The id as far as it can be read.
        id: String,
        source: BoxError,
    },
    /// The store contradicts itself, and does not know which todos are affected. A retry does not
    /// help.
    #[error("the storage is damaged")]
    Damaged(#[source] BoxError),
    /// The store does not answer, or has no room at the moment; a later retry may succeed. A write that
    /// failed at the moment of its commit may still have been made.
    #[error("the storage is unavailable")]
    Unavailable(#[source] BoxError),
}

/// Why a todo was not inserted.
#[derive(Debug, Error)]
pub enum InsertError {
    #[error("a todo with the id {0} already exists")]
    Duplicate(TodoId),
    /// A todo with a later id was created in the workspace before; this is the last id. Another server may
    /// have minted it, or this one before its clock was set back.
    #[error("the last todo of the workspace has the id {0}, which is later")]
    Behind(TodoId),
    /// The workspace would hold more than the permit allows.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error(transparent)]
    OtherWorkspace(#[from] OtherWorkspace),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a changed todo was not saved.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The stored todo has another version than expected, or none: it does not exist in the workspace
    /// of the permit.
    #[error("the stored todo has another version than expected")]
    Stale,
    /// The todo would be longer, and the workspace would hold more than the permit allows.
    #[error(transparent)]
    QuotaExceeded(#[from] QuotaExceeded),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a todo was not removed.
#[derive(Debug, Error)]
pub enum RemoveError {
    /// The stored todo has another version than expected, or none.
    #[error("the stored todo has another version than expected")]
    Stale,
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// An error and its causes in one line, for the log.
pub fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
