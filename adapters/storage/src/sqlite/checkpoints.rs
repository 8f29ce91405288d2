//! When the write-ahead log is copied to the database file.
//!
//! SQLite would do it at the end of a commit, which then takes longer, and ignore a failure. Here it is
//! done between commits, and failures are handled.

use rusqlite::config::DbConfig;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, MAIN_DB, ffi};

use super::log_marker;

/// The pages in the log at which a checkpoint is due, as in SQLite itself.
const DUE: i64 = 1000;

/// The checkpoints of a database, which only its writer makes.
pub(super) struct Checkpoints {
    /// Whether an `fsync` of the database file has failed.
    ///
    /// The kernel may then have dropped the dirty pages, and the next `fsync` may succeed without them
    /// ("fsyncgate"). SQLite rewrites the pages of the failed checkpoint, but not those of earlier ones
    /// that did not reach the end of the log and so relied on this `fsync`. It does once all connections
    /// are closed: the next process to open the file reads the log from its start.
    suspended: bool,
    /// The pages in the log after the last commit, and how many of them are also in the database file.
    log: (i64, i64),
    /// Whether the next commit changes the [marker](super::log_marker): it may be the first of a log,
    /// or the last before a checkpoint.
    marks: bool,
}

impl Checkpoints {
    /// Disables the checkpoints of SQLite, and makes one: with the marker of this start, the file differs
    /// from every copy that was made of it before.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let mut checkpoints = Self { suspended: false, log: (0, 0), marks: true };
        let made = checkpoint(connection, "PASSIVE").map(drop);
        checkpoints.note(connection, made);
        Ok(checkpoints)
    }

    pub(super) fn marks_the_next_commit(&self) -> bool {
        self.marks
    }

    /// Looks at the log, and returns how many pages it has. If that fails, it has those that it had.
    pub(super) fn pages(&mut self, connection: &Connection) -> i64 {
        // Not by the pragma, which is prepared again each time that it has run.
        if let Ok((log, done)) = connection.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::NOOP) {
            self.log = (log.into(), done.into());
        }
        self.log.0
    }

    /// How many pages the log had when it was last looked at.
    pub(super) fn known_pages(&self) -> i64 {
        self.log.0
    }

    /// After [`pages`](Self::pages) has looked at the log: makes a checkpoint if it is long, or if a write failed, as there may be no room for more of
    /// it. It does not wait for readers: what they still need stays in the log until the next time.
    pub(super) fn after_commit(&mut self, connection: &Connection, failed: bool) {
        if self.suspended {
            return;
        }
        let (log, done) = self.log;
        if done < log && (failed || log >= DUE && self.marks) {
            let made = checkpoint(connection, "PASSIVE").map(|log| self.log = log);
            self.note(connection, made);
        }
        let (log, done) = self.log;
        self.marks = log == done || log >= DUE;
    }

    /// Makes a checkpoint that empties the log.
    pub(super) fn at_the_end(mut self, connection: &Connection) {
        if !self.suspended {
            if self.pages(connection) > 0 {
                // Without it the checkpoint is the same.
                let _ = log_marker::change(connection);
            }
            let made = checkpoint(connection, "TRUNCATE").map(drop);
            self.note(connection, made);
        }
    }

    fn note(&mut self, connection: &Connection, made: rusqlite::Result<()>) {
        let Err(error) = made else { return };
        let code = error.sqlite_error().map(|error| error.extended_code);
        self.suspended = code == Some(ffi::SQLITE_IOERR_FSYNC);
        if !self.suspended {
            tracing::warn!(%error, "checkpoint failed: the write-ahead log may grow");
            return;
        }
        tracing::error!(
            %error,
            "sync of the database file failed: no more checkpoints are made, and the write-ahead log \
             grows until the next start"
        );
        self.suspend(connection);
    }

    /// Makes no more checkpoints.
    pub(super) fn suspend(&mut self, connection: &Connection) {
        self.suspended = true;
        // SQLite must not make one either when it closes the file.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// Makes a checkpoint of this mode, and returns how many pages are in the log then and how many of them
/// are also in the database file.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<(i64, i64)> {
    let mut checkpoint =
        connection.prepare_cached(&format!("PRAGMA main.wal_checkpoint({mode})"))?;
    checkpoint.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests;
