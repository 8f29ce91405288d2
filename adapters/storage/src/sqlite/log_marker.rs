//! Whether a write-ahead log belongs to the database file beside it.
//!
//! SQLite applies every complete log that it finds, also to another database that was copied over the
//! file, which undoes the copy or damages it. So each database has a marker: a row with a random value
//! and the value before it. The first commit of each log changes the value, and so does each start; a backup
//! changes it in the copy. A log belongs to a file whose value is the one before the first in the log or,
//! after a checkpoint of a part of it, one of those in the log.
//!
//! A log without a marker, as other programs write it, counts as one that belongs to the file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _};

use super::failure::is_damage;
use super::open_error::OpenProblem;
use super::{lock, unlogged};

/// The beginning of the row, by which it is recognized in a log.
const MAGIC: [u8; 16] = *b"\xf7\x1etodo-mcp log\x9c\xd3";

type Value = [u8; 16];

/// The value before that of a new database.
const NONE: Value = [0; 16];

const CREATE: &str = "\
    CREATE TABLE IF NOT EXISTS log_marker (id INTEGER PRIMARY KEY CHECK (id = 1), value BLOB NOT NULL)";

const INSERT: &str = "INSERT OR IGNORE INTO log_marker VALUES (1, CAST(?1 || ?2 || ?2 AS BLOB))";

const CHANGE: &str = "\
    UPDATE log_marker SET value = CAST(?1 || randomblob(16) || substr(value, 17, 16) AS BLOB)";

/// Gives the database a marker, and changes it. On a damaged page it stays as it is: the rest of the
/// database can be served.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    unless_damaged(create_and_change(connection))
}

/// It need not reach the disk before the next commit does, so a disk that does not confirm writes is no
/// reason to refuse the start.
fn create_and_change(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(CREATE)?;
    transaction.execute(INSERT, [MAGIC, NONE])?;
    change(&transaction)?;
    transaction.commit()
}

/// Changes the marker, in the open transaction or in one of its own.
pub(super) fn change(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached(CHANGE)?.execute([MAGIC]).map(drop)
}

/// The same. On a damaged page it stays as it is.
pub(super) fn change_unless_damaged(connection: &Connection) -> rusqlite::Result<()> {
    unless_damaged(change(connection))
}

fn unless_damaged(changed: rusqlite::Result<()>) -> rusqlite::Result<()> {
    match changed {
        Err(error) if is_damage(&error) => {
            tracing::error!(%error, "the marker of the write-ahead log is damaged");
            Ok(())
        }
        changed => changed,
    }
}

/// Fails if the log beside the database belongs to another file. No connection may be open.
pub(super) fn check(database: &Path) -> Result<(), OpenProblem> {
    let Some(log) = Log::read(&lock::beside(database, "-wal"))? else { return Ok(()) };
    let foreign = || Err(OpenProblem::ForeignLog);
    // SQLite removes the log of an empty file.
    match database.metadata() {
        Ok(file) if file.len() > 0 => {}
        Ok(_) => return foreign(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return foreign(),
        Err(error) => return Err(error.into()),
    }
    let Some(before) = log.before else { return Ok(()) };
    match unlogged::open(database).and_then(|file| value(&file)) {
        Ok(found) if found == before || log.values.contains(&found) => Ok(()),
        Ok(_) => foreign(),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => foreign(),
        // An interrupted checkpoint leaves a file that is complete only with its log.
        Err(_) => Ok(()),
    }
}

/// The value of a database; [`NONE`] if it has no marker.
fn value(connection: &Connection) -> rusqlite::Result<Value> {
    let table = "SELECT 1 FROM sqlite_schema WHERE name = 'log_marker'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(NONE);
    }
    let value = "SELECT substr(value, 17, 16) FROM log_marker";
    Ok(connection.query_row(value, [], |row| row.get(0)).optional()?.unwrap_or(NONE))
}

/// What a log says of the file that it belongs to.
struct Log {
    /// The value of the file when the log began, if the log has a marker.
    before: Option<Value>,
    values: Vec<Value>,
}

impl Log {
    /// Reads the frames of a log that SQLite may apply (SQLite, "Database File Format", section 4.1);
    /// `None` if there are none.
    fn read(path: &Path) -> Result<Option<Self>, OpenProblem> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut header = [0; 32];
        if !read(&mut file, &mut header)? || !has_log_header(&header) {
            return Ok(None);
        }
        let page_size = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
        if !(512..=65536).contains(&page_size) {
            return Ok(None);
        }
        let mut log = Self { before: None, values: Vec::new() };
        let mut frame = [0; 24];
        let mut page = vec![0; page_size as usize];
        let mut frames = 0_u64;
        while read(&mut file, &mut frame)? && frame[8..16] == header[16..24] {
            if !read(&mut file, &mut page)? {
                break;
            }
            frames += 1;
            if let Some((value, before)) = marker(&page) {
                log.before.get_or_insert(before);
                log.values.push(value);
            }
        }
        Ok((frames > 0).then_some(log))
    }
}

/// Whether these are the first bytes of a log.
pub(super) fn has_log_header(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x37, 0x7f, 0x06, 0x82]) || bytes.starts_with(&[0x37, 0x7f, 0x06, 0x83])
}

/// The value on a page and the one before it, if it is the page of the marker: a leaf with one row.
fn marker(page: &[u8]) -> Option<(Value, Value)> {
    const LEAF: u8 = 13;
    if page[0] != LEAF || page[3..5] != [0, 1] {
        return None;
    }
    let at = page.windows(MAGIC.len()).rposition(|window| window == MAGIC)?;
    let value = |from: usize| page.get(at + from..at + from + 16)?.try_into().ok();
    Some((value(16)?, value(32)?))
}

/// Fills `buffer`; `false` at the end of the file.
fn read(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
