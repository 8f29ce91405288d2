//! The connections that read.

mod disk;
mod pace;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use todo_application::ports::StorageError;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use self::disk::Disk;
use self::pace::Pace;
use super::failure::unavailable;

/// A few connections, each used by one query at a time.
///
/// A query whose pages are in memory takes a few microseconds; moving it to another thread and back
/// takes ten times as long. A query that waits for the disk must not block the threads of the async
/// runtime. Which of the two a query will be is unknown beforehand, so queries run inline while the
/// recent ones have been fast, and on blocking threads after a slow one: see [`Pace`].
pub(super) struct Readers {
    /// For queries that run inline. Fewer than the threads of the runtime, if it has more than one, so
    /// that a disk that stops responding does not block them all.
    inline: Vec<Mutex<Connection>>,
    pace: Arc<Pace>,
    disk: Arc<Disk>,
    /// One permit for each idle connection.
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// The inline connections must not wait for locks of the database.
    pub(super) fn new(inline: Vec<Connection>, offloaded: Vec<Connection>) -> Self {
        Self {
            inline: inline.into_iter().map(Mutex::new).collect(),
            pace: Arc::default(),
            disk: Arc::default(),
            permits: Arc::new(Semaphore::new(offloaded.len())),
            idle: Arc::new(Mutex::new(offloaded)),
        }
    }

    /// Runs `query`, possibly twice.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        match self.read_inline(&query) {
            // The database may be locked for a moment, and a blocking thread can wait for it.
            None | Some(Err(StorageError::Unavailable(_))) => self.read_offloaded(query).await,
            Some(result) => result,
        }
    }

    /// Runs `query` on this thread if it is expected to be fast.
    fn read_inline<T>(
        &self,
        query: impl Fn(&Connection) -> Result<T, StorageError>,
    ) -> Option<Result<T, StorageError>> {
        if !self.pace.is_fast() {
            return None;
        }
        let connection = self.inline.iter().find_map(|connection| connection.try_lock().ok())?;
        let began = Instant::now();
        let result = query(&connection);
        self.pace.record_inline(self.disk.delayed(began.elapsed()));
        Some(result)
    }

    /// Runs `query` on a blocking thread as soon as a connection is idle. It completes even if the
    /// caller is cancelled.
    async fn read_offloaded<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.map_err(unavailable)?;
        let idle = Arc::clone(&self.idle);
        let (pace, disk) = (Arc::clone(&self.pace), Arc::clone(&self.disk));
        let reading = spawn_blocking(move || {
            let Some(connection) = locked(&idle).pop() else {
                return Err(unavailable("no connection is left to read with"));
            };
            let began = Instant::now();
            let result = query(&connection);
            pace.record_offloaded(disk.delayed(began.elapsed()));
            locked(&idle).push(connection);
            drop(permit);
            result
        });
        reading.await.map_err(unavailable)?
    }
}

fn locked(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    // Held for a push or a pop only, neither of which can stop halfway.
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
