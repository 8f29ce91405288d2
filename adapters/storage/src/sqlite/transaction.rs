//! The transaction of a commit.

use std::ops::Deref;

use rusqlite::Connection;

/// An immediate transaction, rolled back when it is dropped.
///
/// As [`rusqlite::Transaction`], whose statements are prepared each time: that takes longer than to run them.
pub(super) struct Transaction<'a>(&'a Connection);

impl<'a> Transaction<'a> {
    /// The connection is borrowed mutably, so that it has one transaction at a time.
    pub(super) fn begin(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        run(connection, "BEGIN IMMEDIATE")?;
        Ok(Self(connection))
    }

    pub(super) fn commit(self) -> rusqlite::Result<()> {
        run(self.0, "COMMIT")
    }
}

fn run(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // It fails if an error has ended the transaction meanwhile.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}
