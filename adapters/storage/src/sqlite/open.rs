//! Resolving, locking and opening the file.

use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::checkpoints::Checkpoints;
use super::files::Files;
use super::lock::{self, Lock};
use super::log_marker;
use super::open_error::{MAX_NAME, MAX_PATH, OpenError, OpenProblem};
use super::pinned_reader::PinnedReader;
use super::readers::Readers;
use super::recent::Recent;
use super::schema::{self, Origin};
use super::writer::Writer;

/// How many queries run concurrently on blocking threads. Each connection caches up to 2 MiB of pages.
const OFFLOADED: usize = 4;

/// The most queries that run concurrently on the threads of the async runtime.
const MAX_INLINE: usize = 8;

/// How much all connections for these cache of a database that is not being changed, and one of them at most: the
/// todos that a filter selects are on as many pages of 4 KiB. Others cache up to 2 MiB.
const INLINE_CACHE_KIB: usize = 16 * 1024;
const MAX_CACHE_KIB: usize = 8 * 1024;

/// How many prepared statements a reader keeps: more than there are.
const READER_STATEMENTS: usize = 96;

/// How long to wait while another program (a backup, the `sqlite3` shell) locks the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The writing connection. No other todo-mcp has one while the lock is held.
pub(super) struct Exclusive {
    // Dropped in this order: close the file, release the lock.
    pub(super) connection: Connection,
    pub(super) lock: Lock,
    file: PathBuf,
}

/// A database that is open for a server.
pub(super) struct Opened {
    pub(super) readers: Readers,
    pub(super) writer: Writer,
    pub(super) recent: Recent,
    pub(super) files: Arc<Files>,
    pub(super) lock: Lock,
}

/// Opens the database for a server.
pub(super) fn server(path: &Path) -> Result<Opened, OpenError> {
    with_path(path, |path| {
        let Exclusive { mut lock, file, connection } = open_exclusive(path)?;
        let count = inline_readers();
        let cache = (INLINE_CACHE_KIB / count).min(MAX_CACHE_KIB);
        let inline = (0..count).map(|_| {
            let reader = connect_servers_reader(&file, Duration::ZERO)?;
            // Negative: in KiB.
            reader.pragma_update(None, "cache_size", -i64::try_from(cache).unwrap_or(0))?;
            Ok(reader)
        });
        let offloaded = (0..OFFLOADED).map(|_| connect_servers_reader(&file, BUSY_TIMEOUT));
        let readers = Readers::new(
            inline.collect::<rusqlite::Result<_>>()?,
            offloaded.collect::<rusqlite::Result<_>>()?,
        );
        let checkpoints = Checkpoints::of(&connection)?;
        let page_size = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let files = Arc::new(Files::of(&file, page_size)?);
        let pinned = PinnedReader::new(connect_servers_reader(&file, Duration::ZERO)?);
        let counted = Arc::default();
        let recent = Recent::new(Arc::clone(&counted));
        let writer = Writer::start(connection, pinned, checkpoints, Arc::clone(&files), counted)?;
        lock.keep();
        Ok(Opened { readers, writer, recent, files, lock })
    })
}

/// Opens the database for writing only.
pub(super) fn exclusive(path: &Path) -> Result<Exclusive, OpenError> {
    with_path(path, |path| {
        let mut exclusive = open_exclusive(path)?;
        exclusive.lock.keep();
        Ok(exclusive)
    })
}

/// Opens an existing database, which other processes may use, and returns its schema.
///
/// The connection is in a transaction that shows the database as it is now. Writers continue: their
/// writes stay in the write-ahead log, which grows until the connection closes.
pub(super) fn snapshot(path: &Path) -> Result<(Connection, i32), OpenError> {
    with_path(path, |path| {
        let file = existing(path)?.ok_or(OpenProblem::Missing)?;
        lock::while_unused(&file, || {
            lock::check_restored(&file)?;
            log_marker::check(&file)
        })?;
        // A read-only connection cannot remove the files beside the database when it closes: they
        // would belong to this user and block the user of the server. Where this user may not write,
        // SQLite silently opens a read-only connection.
        let connection = connect_reader(&file)?;
        if connection.is_readonly(MAIN_DB)? {
            return Err(OpenProblem::NotWritable);
        }
        connection.execute_batch("BEGIN")?;
        match schema::origin(&connection)? {
            Origin::Foreign => Err(OpenProblem::Foreign),
            Origin::Ours { schema } => Ok((connection, schema)),
        }
    })
}

/// Adds the absolute path of the file to a problem with it.
pub(super) fn with_path<T>(
    path: &Path,
    open: impl FnOnce(&Path) -> Result<T, OpenProblem>,
) -> Result<T, OpenError> {
    let file = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    open(&file).map_err(|problem| OpenError { file, problem })
}

/// What this creates is removed with the lock, until that keeps it.
fn open_exclusive(path: &Path) -> Result<Exclusive, OpenProblem> {
    let file = locate(path)?;
    let mut lock = Lock::take(&file)?;
    lock::check_restored(&file)?;
    log_marker::check(&file)?;
    lock.with_database(&file)?;
    tighten(&file);
    let mut connection = connect(&file)?;
    prepare(&mut connection)?;
    Ok(Exclusive { connection, lock, file })
}

/// Resolves links, so that all paths to the same file lead to the same lock.
pub(super) fn locate(path: &Path) -> Result<PathBuf, OpenProblem> {
    let Some(file) = existing(path)? else { return locate_new(path) };
    // Root could write to a read-only file, but the file is read-only on purpose.
    if file.metadata()?.permissions().readonly() {
        return Err(OpenProblem::NotWritable);
    }
    Ok(file)
}

fn existing(path: &Path) -> Result<Option<PathBuf>, OpenProblem> {
    let file = match path.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if file.metadata()?.is_file() {
        within_limit(file).map(Some)
    } else {
        Err(OpenProblem::NotAFile)
    }
}

fn locate_new(path: &Path) -> Result<PathBuf, OpenProblem> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(OpenProblem::NotAFile);
    };
    if path.is_symlink() {
        return Err(OpenProblem::BrokenLink);
    }
    within_limit(directory.canonicalize()?.join(name))
}

fn within_limit(file: PathBuf) -> Result<PathBuf, OpenProblem> {
    let name = file.file_name().unwrap_or_default();
    let is_short = file.as_os_str().len() <= MAX_PATH && name.len() <= MAX_NAME;
    if is_short { Ok(file) } else { Err(OpenProblem::PathTooLong) }
}

/// Takes from other users the access that an earlier version, a copy or an umask has given them.
#[cfg(unix)]
fn tighten(database: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    const OTHERS: u32 = 0o077;
    let files = ["", "-wal", "-shm", ".lock"].map(|suffix| lock::beside(database, suffix));
    let mut tightened = false;
    for file in files {
        let Ok(metadata) = file.metadata() else { continue };
        let mut permissions = metadata.permissions();
        if permissions.mode() & OTHERS == 0 {
            continue;
        }
        permissions.set_mode(permissions.mode() & !OTHERS);
        match std::fs::set_permissions(&file, permissions) {
            Ok(()) => tightened = true,
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "other users can access this file");
            }
        }
    }
    if tightened {
        tracing::info!(file = %database.display(), "access of other users to the database removed");
    }
}

/// Elsewhere, files have the permissions of their directory.
#[cfg(not(unix))]
fn tighten(_: &Path) {}

pub(super) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    // Without CREATE, so that a removed file is not replaced by an empty one.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // One plan for each statement, whatever its parameters: otherwise SQLite would plan a page each time,
    // which takes longer than reading it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn connect_reader(file: &Path) -> rusqlite::Result<Connection> {
    let reader = connect(file)?;
    reader.pragma_update(None, "query_only", true)?;
    Ok(reader)
}

/// One less than the threads of the async runtime, which has one for each core; on one core, one.
fn inline_readers() -> usize {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (threads - 1).clamp(1, MAX_INLINE)
}

/// A reader of the server. It makes no checkpoint when it closes, which is left to the writer.
fn connect_servers_reader(file: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let reader = connect_reader(file)?;
    reader.busy_timeout(busy_timeout)?;
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    reader.set_prepared_statement_cache_capacity(READER_STATEMENTS);
    Ok(reader)
}

/// Ensures that the database is ours, that commits are durable, that readers do not wait for the writer
/// and that the schema is current.
fn prepare(writer: &mut Connection) -> Result<(), OpenProblem> {
    // Without permission to write, SQLite silently opens a file for reading.
    if writer.is_readonly(MAIN_DB)? {
        return Err(OpenProblem::NotWritable);
    }
    let schema = match schema::origin(writer)? {
        Origin::Foreign => return Err(OpenProblem::Foreign),
        Origin::Ours { schema } => schema,
    };
    if schema > schema::CURRENT {
        return Err(OpenProblem::NewerSchema { found: schema, known: schema::CURRENT });
    }
    let mode: String =
        writer.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenProblem::NoWriteAheadLog);
    }
    writer.pragma_update(None, "synchronous", "full")?;
    // On macOS only this syncs to the disk; elsewhere it has no effect.
    writer.pragma_update(None, "fullfsync", true)?;
    writer.pragma_update(None, "checkpoint_fullfsync", true)?;
    schema::migrate(writer, schema)?;
    writer.pragma_update(None, "synchronous", "off")?;
    log_marker::prepare(writer)?;
    writer.pragma_update(None, "synchronous", "full")?;
    // After the migrations, which may sort a table, temporary data is a few pages of a savepoint.
    writer.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

#[cfg(test)]
mod tests;
