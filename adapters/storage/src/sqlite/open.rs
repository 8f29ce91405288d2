//! Finding, locking and opening the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::SqliteTodoRepository;
use super::anchor::Anchor;
use super::checkpoints::Checkpoints;
use super::files::Files;
use super::open_error::{OpenError, OpenProblem};
use super::readers::Readers;
use super::schema::{self, Origin};
use super::writer::Writer;

/// How many queries run at once away from the threads that drive the program. Each connection keeps
/// up to 2 MiB of pages.
const AWAY: usize = 4;

/// The most that run at once on those threads.
const MOST_HERE: usize = 8;

/// How long to wait while another program (a backup, the `sqlite3` shell) holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The connection that writes. No other todo-mcp has one while the lock is held.
pub(super) struct Exclusive {
    // Dropped in this order: close the file, let others have it.
    pub(super) connection: Connection,
    pub(super) lock: File,
    file: PathBuf,
}

/// Opens the repository.
pub(super) fn repository(path: &Path) -> Result<SqliteTodoRepository, OpenError> {
    naming(path, |path| {
        let Exclusive { connection, lock, file } = open_exclusive(path)?;
        let here = (0..readers_here()).map(|_| connect_servers_reader(&file, Duration::ZERO));
        let away = (0..AWAY).map(|_| connect_servers_reader(&file, BUSY_TIMEOUT));
        let readers = Readers::new(
            here.collect::<rusqlite::Result<_>>()?,
            away.collect::<rusqlite::Result<_>>()?,
        );
        let checkpoints = Checkpoints::of(&connection)?;
        let files = Arc::new(Files::of(&file)?);
        let anchor = Anchor::new(connect_servers_reader(&file, Duration::ZERO)?);
        let writer = Writer::start(connection, anchor, checkpoints, Arc::clone(&files))?;
        Ok(SqliteTodoRepository { readers, writer, files, _lock: lock })
    })
}

/// Opens the database to write to it, and nothing else.
pub(super) fn exclusive(path: &Path) -> Result<Exclusive, OpenError> {
    naming(path, open_exclusive)
}

/// Opens a database that is there, whoever uses it, and gives the schema that it has.
///
/// The connection is in a transaction that shows the database as it is now. Whoever writes goes on:
/// what they write meanwhile stays in the write-ahead log, which grows until the connection closes.
pub(super) fn snapshot(path: &Path) -> Result<(Connection, i32), OpenError> {
    naming(path, |path| {
        let file = existing(path)?.ok_or(OpenProblem::Missing)?;
        // A read-only connection could not tidy up: it would leave files behind that belong to this
        // user and are in the way of the one who serves. Where this user may not write, SQLite makes
        // it one, and says nothing.
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

/// A problem with the file, by its whole name.
pub(super) fn naming<T>(
    path: &Path,
    open: impl FnOnce(&Path) -> Result<T, OpenProblem>,
) -> Result<T, OpenError> {
    let file = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    open(&file).map_err(|problem| OpenError { file, problem })
}

fn open_exclusive(path: &Path) -> Result<Exclusive, OpenProblem> {
    let file = locate(path)?;
    // Before anything opens the file: while SQLite has it open in this process, closing it anywhere
    // else in the process would drop SQLite's own locks, as POSIX wants it.
    let lock = lock(&file)?;
    create_if_missing(&file)?;
    let mut connection = connect(&file)?;
    prepare(&mut connection)?;
    Ok(Exclusive { connection, lock, file })
}

/// The file that `path` leads to, links followed: whoever means the same file has to meet at the
/// same lock.
fn locate(path: &Path) -> Result<PathBuf, OpenProblem> {
    let Some(file) = existing(path)? else { return locate_new(path) };
    // Permissions do not stop root, but whoever took the right to write away meant it.
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

/// Makes sure that no other todo-mcp uses the database as long as the returned file is open.
///
/// The lock is on a file of its own. That file stays: if it were removed, two processes could each
/// hold a lock on a different file of the same name.
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

/// Makes the file before SQLite does, which would let others read it. The files that SQLite puts
/// beside it get the permissions of this one.
fn create_if_missing(file: &Path) -> io::Result<()> {
    match private().create_new(true).open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

/// For writing, and if the file is new, for nobody but its owner.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn connect(file: &Path) -> rusqlite::Result<Connection> {
    // Without CREATE, so that a file that has vanished is not replaced by an empty one.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // One plan for a statement, whatever values it is run with: otherwise SQLite plans a page anew each
    // time, which takes longer than reading it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

fn connect_reader(file: &Path) -> rusqlite::Result<Connection> {
    let reader = connect(file)?;
    reader.pragma_update(None, "query_only", true)?;
    Ok(reader)
}

/// One less than there are threads to drive the program, of which Tokio starts one for each core; on
/// one core, one.
fn readers_here() -> usize {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    (threads - 1).clamp(1, MOST_HERE)
}

/// A reader of the one who serves: it does not tidy up when it is the last to leave, which is the
/// writer's business.
fn connect_servers_reader(file: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let reader = connect_reader(file)?;
    reader.busy_timeout(patience)?;
    reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(reader)
}

/// Makes sure that the database is ours, commits durable, readers independent of the writer and the
/// schema current.
fn prepare(writer: &mut Connection) -> Result<(), OpenProblem> {
    // Without the right to write, SQLite opens a file for reading and says nothing.
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
    // On macOS only this reaches the disk; elsewhere it does nothing.
    writer.pragma_update(None, "fullfsync", true)?;
    writer.pragma_update(None, "checkpoint_fullfsync", true)?;
    schema::migrate(writer, schema)?;
    // From here on, what SQLite sets aside is a few pages of a savepoint; a migration may sort a table.
    writer.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

#[cfg(test)]
mod tests;
