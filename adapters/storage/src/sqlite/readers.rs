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
use super::unavailable;

/// A few connections that are lent to one query each.
///
/// A query whose pages are in memory takes a few microseconds, and handing it to another thread and
/// back takes ten times as long; one that has to wait for the disk must not keep the threads that
/// drive the rest of the program. Nobody can tell beforehand which it will be. So reads run where they
/// are asked for as long as they have been quick, and away from there after one that was not: see
/// [`Pace`].
pub(super) struct Readers {
    /// For reads where they are asked for. Fewer than there are threads, where there is more than one,
    /// so that a disk that stops answering does not have them all.
    here: Vec<Mutex<Connection>>,
    pace: Arc<Pace>,
    disk: Arc<Disk>,
    /// One permit for each idle connection.
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// The connections of `here` must not wait for locks of the database.
    pub(super) fn new(here: Vec<Connection>, away: Vec<Connection>) -> Self {
        Self {
            here: here.into_iter().map(Mutex::new).collect(),
            pace: Arc::default(),
            disk: Arc::default(),
            permits: Arc::new(Semaphore::new(away.len())),
            idle: Arc::new(Mutex::new(away)),
        }
    }

    /// Runs `query`, which may be begun twice.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl Fn(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        match self.read_here(&query) {
            // The database may be locked for a moment, which is worth waiting for elsewhere.
            None | Some(Err(StorageError::Unavailable(_))) => self.read_away(query).await,
            Some(answer) => answer,
        }
    }

    /// Runs `query` if that will most likely not take long.
    fn read_here<T>(
        &self,
        query: impl Fn(&Connection) -> Result<T, StorageError>,
    ) -> Option<Result<T, StorageError>> {
        if !self.pace.is_quick() {
            return None;
        }
        let connection = self.here.iter().find_map(|connection| connection.try_lock().ok())?;
        let began = Instant::now();
        let answer = query(&connection);
        self.pace.note_here(self.disk.kept_waiting(began.elapsed()));
        Some(answer)
    }

    /// Runs `query` on another thread as soon as a connection is idle, and to its end even if nobody
    /// waits for it.
    async fn read_away<T: Send + 'static>(
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
            let answer = query(&connection);
            pace.note_away(disk.kept_waiting(began.elapsed()));
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
