use async_trait::async_trait;

use super::storage_error::StorageError;

/// Whether a store can serve requests.
#[async_trait]
pub trait StorageHealth: Send + Sync {
    /// Returns within a second.
    async fn check(&self) -> Result<(), StorageError>;
}
