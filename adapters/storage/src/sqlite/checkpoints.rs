//! When what is in the write-ahead log goes into the database file.
//!
//! SQLite would do it at the end of a commit, which then takes longer, and keep to itself what goes
//! wrong. Here it is done between commits, and a failure has consequences.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi};

/// How many pages the log holds when it is time; SQLite's own measure.
const TIME: i64 = 1000;

/// The checkpoints of a database, which its writer makes and nobody else.
pub(super) struct Checkpoints {
    /// Whether the kernel has failed to bring the database file to the disk.
    ///
    /// It may then have thrown away what it could not write, and the next `fsync` may succeed without
    /// that ("fsyncgate"). SQLite writes again what the failed checkpoint has written, but not what
    /// earlier ones have that did not reach the end of the log, and so waited for this `fsync`. It
    /// does once all connections are closed: who opens the file next reads the log from its start.
    suspended: bool,
}

impl Checkpoints {
    /// Takes over from SQLite.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(Self { suspended: false })
    }

    /// Makes one if the log is long, or if a write failed: there may be no room for more of it. Nobody
    /// who reads is waited for: what they still need stays in the log until the next time.
    pub(super) fn after_commit(&mut self, connection: &Connection, failed: bool) {
        if self.suspended {
            return;
        }
        let made = checkpoint(connection, "NOOP").and_then(|(log, done)| {
            let is_time = done < log && (log >= TIME || failed);
            if is_time { checkpoint(connection, "PASSIVE").map(drop) } else { Ok(()) }
        });
        self.note(connection, made);
    }

    /// Leaves nothing in the log.
    pub(super) fn at_the_end(mut self, connection: &Connection) {
        if !self.suspended {
            let made = checkpoint(connection, "TRUNCATE").map(drop);
            self.note(connection, made);
        }
    }

    fn note(&mut self, connection: &Connection, made: rusqlite::Result<()>) {
        let Err(error) = made else { return };
        let code = error.sqlite_error().map(|error| error.extended_code);
        self.suspended = code == Some(ffi::SQLITE_IOERR_FSYNC);
        if !self.suspended {
            tracing::warn!(%error, "the write-ahead log stays, and may grow");
            return;
        }
        tracing::error!(
            %error,
            "the disk did not take what belongs into the database file: it stays in the write-ahead \
             log, which grows until the next start"
        );
        // Nor may SQLite make one when it closes the file.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// How many pages are in the log, and how many of them in the database file as well, once a checkpoint
/// of this mode is made.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<(i64, i64)> {
    let mut checkpoint =
        connection.prepare_cached(&format!("PRAGMA main.wal_checkpoint({mode})"))?;
    checkpoint.query_row([], |row| Ok((row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests;
