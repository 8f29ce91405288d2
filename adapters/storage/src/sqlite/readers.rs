//! The connections that read.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use todo_application::ports::StorageError;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::unavailable;

/// A few connections that are lent to one query each, away from the threads that drive the rest of
/// the program: a read may have to wait for the disk.
pub(super) struct Readers {
    /// One permit for each idle connection.
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(connections)),
        }
    }

    /// Runs `query` as soon as a connection is idle, and to its end even if nobody waits for it.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.map_err(unavailable)?;
        let idle = Arc::clone(&self.idle);
        let reading = spawn_blocking(move || {
            let Some(connection) = locked(&idle).pop() else {
                return Err(unavailable("no connection is left to read with"));
            };
            let answer = query(&connection);
            locked(&idle).push(connection);
            drop(permit);
            answer
        });
        reading.await.map_err(unavailable)?
    }
}

fn locked(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    // Taken for a push or a pop only, which leave nothing half done.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
