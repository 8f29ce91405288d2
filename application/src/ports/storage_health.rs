use async_trait::async_trait;

use super::storage_error::StorageError;

/// Whether a store can serve requests, and how busy it is.
#[async_trait]
pub trait StorageHealth: Send + Sync {
    /// Returns within a second. After a write failed because the store could not commit it, the store is
    /// unavailable until a write of this check, which changes nothing that a caller sees, is committed.
    async fn check(&self) -> Result<(), StorageError>;

    /// How busy it is at this moment, as far as it has queues. Returns at once.
    fn load(&self) -> StorageLoad {
        StorageLoad::default()
    }
}

/// How busy a store is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StorageLoad {
    /// Of a store with one writer.
    pub writes: Option<QueuedWrites>,
    /// Of a store that is reached through connections.
    pub connections: Option<ConnectionLoad>,
}

/// The writes that are not committed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedWrites {
    pub waiting: usize,
    /// Of their texts.
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLoad {
    pub in_use: usize,
    /// Requests that wait for one.
    pub waiting: usize,
    /// The most connections.
    pub limit: usize,
}
