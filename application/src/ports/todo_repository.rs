use async_trait::async_trait;
use todo_domain::{Todo, TodoId, Version, WorkspaceId};

use super::StorageError;

/// Which todos of a workspace a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only the done ones, only the open ones, or both.
    pub completed: Option<bool>,
}

/// Keeps todos.
///
/// * Every query names its workspace. A todo of another workspace does not exist.
/// * A write that is answered is durable, and one that is refused has changed nothing.
/// * Writes to one todo are atomic: of two that expect the same version, one succeeds.
/// * What cannot be read is [`StorageError::Corrupt`]; what cannot be reached is
///   [`StorageError::Unavailable`].
///
/// `tests/contract.rs` holds a case for each sentence here, run against every adapter.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait TodoRepository: Send + Sync {
    /// The todo, if it is there.
    async fn find(&self, workspace: &WorkspaceId, id: TodoId)
    -> Result<Option<Todo>, StorageError>;

    /// At most `limit` todos that pass the filter and whose id comes after `after`, in the order of
    /// their ids. The cost depends on `limit`, not on how many there are.
    async fn list(
        &self,
        workspace: &WorkspaceId,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError>;

    /// Adds a todo. [`StorageError::Duplicate`] if its workspace has one with this id.
    async fn insert(&self, todo: &Todo) -> Result<(), StorageError>;

    /// Replaces a todo whose stored version is `expected`. [`StorageError::StaleVersion`] if it is
    /// another, or if the todo is gone.
    async fn save(&self, todo: &Todo, expected: Version) -> Result<(), StorageError>;

    /// Removes a todo, and says whether it was there. [`StorageError::StaleVersion`] if it is there
    /// with another version than the expected one.
    async fn remove(
        &self,
        workspace: &WorkspaceId,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StorageError>;
}
