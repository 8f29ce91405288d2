//! Resolving, locking and opening the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::checkpoints::Checkpoints;
use super::files::Files;
use super::open_error::{OpenError, OpenProblem};
use super::pinned_reader::PinnedReader;
use super::readers::Readers;
use super::schema::{self, Origin};
use super::writer::Writer;

/// How many queries run concurrently on blocking threads. Each connection caches up to 2 MiB of pages.
const OFFLOADED: usize = 4;

/// The most queries that run concurrently on the threads of the async runtime.
const MAX_INLINE: usize = 8;

/// How long to wait while another program (a backup, the `sqlite3` shell) locks the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The writing connection. No other todo-mcp has one while the lock is held.
pub(super) struct Exclusive {
    // Dropped in this order: close the file, release the lock.
    pub(super) connection: Connection,
    pub(super) lock: File,
    file: PathBuf,
}

/// A database that is open for a server.
pub(super) struct Opened {
    pub(super) readers: Readers,
    pub(super) writer: Writer,
    pub(super) files: Arc<Files>,
    pub(super) lock: File,
}

/// Opens the database for a server.
pub(super) fn server(path: &Path) -> Result<Opened, OpenError> {
    with_path(path, |path| {
        let Exclusive { connection, lock, file } = open_exclusive(path)?;
        let inline = (0..inline_readers()).map(|_| connect_servers_reader(&file, Duration::ZERO));
        let offloaded = (0..OFFLOADED).map(|_| connect_servers_reader(&file, BUSY_TIMEOUT));
        let readers = Readers::new(
            inline.collect::<rusqlite::Result<_>>()?,
            offloaded.collect::<rusqlite::Result<_>>()?,
        );
        let checkpoints = Checkpoints::of(&connection)?;
        let files = Arc::new(Files::of(&file)?);
        let pinned = PinnedReader::new(connect_servers_reader(&file, Duration::ZERO)?);
        let writer = Writer::start(connection, pinned, checkpoints, Arc::clone(&files))?;
        Ok(Opened { readers, writer, files, lock })
    })
}

/// Opens the database for writing only.
pub(super) fn exclusive(path: &Path) -> Result<Exclusive, OpenError> {
    with_path(path, open_exclusive)
}

/// Opens an existing database, which other processes may use, and returns its schema.
///
/// The connection is in a transaction that shows the database as it is now. Writers continue: their
/// writes stay in the write-ahead log, which grows until the connection closes.
pub(super) fn snapshot(path: &Path) -> Result<(Connection, i32), OpenError> {
    with_path(path, |path| {
        let file = existing(path)?.ok_or(OpenProblem::Missing)?;
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

fn open_exclusive(path: &Path) -> Result<Exclusive, OpenProblem> {
    let file = locate(path)?;
    // Before anything opens the file: while SQLite has it open, closing it anywhere else in the process
    // would release SQLite's own locks (POSIX advisory locks).
    let lock = lock(&file)?;
    create_if_missing(&file)?;
    let mut connection = connect(&file)?;
    prepare(&mut connection)?;
    Ok(Exclusive { connection, lock, file })
}

/// Resolves links, so that all paths to the same file lead to the same lock.
fn locate(path: &Path) -> Result<PathBuf, OpenProblem> {
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
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(OpenProblem::NotAFile) }
}

fn locate_new(path: &Path) -> Result<PathBuf, OpenProblem> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(OpenProblem::NotAFile);
    };
    Ok(directory.canonicalize()?.join(name))
}

/// Ensures that no other todo-mcp uses the database while the returned file is open.
///
/// The lock is on a file of its own, which is never removed: otherwise two processes could each hold a
/// lock on a different file of the same name.
fn lock(file: &Path) -> Result<File, OpenProblem> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    let lock = private().create(true).open(name)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenProblem::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Creates the file before SQLite does, which would let other users read it. The files that SQLite
/// creates beside it get its permissions.
fn create_if_missing(file: &Path) -> io::Result<()> {
    match private().create_new(true).open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// For writing. A new file is accessible to its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

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
    // After the migrations, which may sort a table, temporary data is a few pages of a savepoint.
    writer.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

#[cfg(test)]
mod tests;
