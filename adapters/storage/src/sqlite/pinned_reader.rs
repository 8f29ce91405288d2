//! A read transaction that stays open while the writer is idle.

use rusqlite::Connection;

/// Keeps the lock with which SQLite marks how far its readers have read, so that the readers of this
/// process need not take it for each query: that is two system calls, a third of a short query.
///
/// An open read transaction keeps the write-ahead log from being reset. So the writer owns this one,
/// and holds it only while it has nothing to do.
pub(super) struct PinnedReader(Connection);

/// Its transaction is open until it has returned all rows, or is reset. It needs no page but the first, which each
/// transaction reads.
const READ: &str = "SELECT 1 FROM sqlite_schema LIMIT 1";

impl PinnedReader {
    pub(super) fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// Waits while reading at the last commit. If that fails, readers take the lock themselves.
    pub(super) fn hold<T>(&self, wait: impl FnOnce() -> T) -> T {
        let mut statement = self.0.prepare_cached(READ);
        let mut rows = statement.as_mut().ok().and_then(|statement| statement.query([]).ok());
        let _row = rows.as_mut().map(rusqlite::Rows::next);
        wait()
    }
}
