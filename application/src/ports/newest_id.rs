use async_trait::async_trait;
use todo_domain::TodoId;

use super::storage_error::StorageError;

/// Reports where the ids of a store end, so that new ones sort after them.
#[async_trait]
pub trait NewestId: Send + Sync {
    /// The greatest id of version 7 before `end`, of all workspaces.
    async fn newest_before(&self, end: TodoId) -> Result<Option<TodoId>, StorageError>;
}
