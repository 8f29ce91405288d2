use async_trait::async_trait;

use super::storage_error::StorageError;

/// Whether a store can serve requests.
#[async_trait]
pub trait StorageHealth: Send + Sync {
    /// Returns within a second. After a write failed because the store could not commit it, the store is
    /// unavailable until a write of this check, which changes nothing that a caller sees, is committed.
    async fn check(&self) -> Result<(), StorageError>;
}
