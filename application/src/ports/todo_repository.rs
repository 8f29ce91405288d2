use async_trait::async_trait;
use todo_domain::{IdempotencyKey, Instant, Todo, TodoId, Version, WorkspaceId};

use super::StorageError;

/// Which todos of a workspace a list shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only the done ones, only the open ones, or both.
    pub completed: Option<bool>,
}

/// A request to add a todo, under the name that the client gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreationRequest {
    /// Its name, known to the subject that adds the todo, in its workspace.
    pub key: IdempotencyKey,
    /// What it asks for, in short: another request under the same name has another.
    pub fingerprint: u64,
    /// The first instant at which it is forgotten.
    pub forget_at: Instant,
}

/// What came of an earlier request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// The todo that it added; it may have changed since, or be gone.
    pub todo: TodoId,
    /// When it added it.
    pub at: Instant,
    /// What it asked for.
    pub fingerprint: u64,
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

    /// Adds a todo as [`insert`](Self::insert) does, and remembers the request for it in the same
    /// transaction.
    ///
    /// If the subject that makes the todo has made one in this workspace by a request of the same key
    /// that is not forgotten when this todo is made, nothing is added, and that creation is returned.
    /// Of two such requests at once, one adds its todo and the other is told of it.
    async fn insert_once(
        &self,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, StorageError>;

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
