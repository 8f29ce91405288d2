use thiserror::Error;
use todo_domain::TodoId;

/// The cause of a failure outside, for the log and never for a caller.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What can go wrong in a store.
#[derive(Debug, Error)]
pub enum StorageError {
    /// A todo with this id is there already.
    #[error("a todo with the id {0} is already stored")]
    Duplicate(TodoId),
    /// The stored todo has another version than expected, or is gone.
    #[error("the stored todo has another version than expected")]
    StaleVersion,
    /// What is stored is not what this program writes.
    #[error("the stored todo {id} cannot be read")]
    Corrupt {
        /// Which todo, as the store names it.
        id: String,
        /// What is wrong with it.
        source: BoxError,
    },
    /// The store contradicts itself, and cannot say which todos that concerns. Trying again does not
    /// help.
    #[error("the storage is damaged")]
    Damaged(#[source] BoxError),
    /// The store does not answer, or has no room now; trying again later may help. A write is not
    /// known to have been made: if it failed at the very moment of becoming durable, it may have.
    #[error("the storage is not available")]
    Unavailable(#[source] BoxError),
}
