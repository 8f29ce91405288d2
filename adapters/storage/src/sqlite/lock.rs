//! The locks that keep a second process from a database.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::open_error::OpenProblem;

/// What the lock file contains while a backup is put in the place of the database.
const RESTORING: &[u8] = b"restoring\n";

/// Keeps every other todo-mcp from a database while it exists.
///
/// The lock is on a file of its own, which is never removed: otherwise two processes could each hold a
/// lock on a different file of the same name. In case somebody else removes it, there is another lock
/// on the database itself, on systems where that lock does not get in the way of those of SQLite.
pub(super) struct Lock {
    file: File,
    /// Open until after SQLite has closed the database: closing it would release the locks of SQLite
    /// in this process (POSIX advisory locks).
    database: Option<File>,
}

impl Lock {
    /// Locks the database at `database`, which need not exist.
    ///
    /// Before anything opens the database: see the field.
    pub(super) fn take(database: &Path) -> Result<Self, OpenProblem> {
        let file = private().create(true).read(true).open(path(database))?;
        exclusively(&file)?;
        Ok(Self { file, database: lock_database(database)? })
    }

    /// Creates the database if it does not exist, and locks it, too. SQLite would let other users read
    /// it; the files that SQLite creates beside it get its permissions.
    pub(super) fn with_database(self, path: &Path) -> Result<Self, OpenProblem> {
        if self.database.is_some() {
            return Ok(self);
        }
        match private().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => created.map(drop)?,
        }
        Ok(Self { database: lock_database(path)?, ..self })
    }

    /// Notes that the files of the database do not belong together until [`end_restore`](Self::end_restore).
    pub(super) fn begin_restore(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(RESTORING)?;
        self.file.sync_all()
    }

    pub(super) fn end_restore(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()
    }
}

/// The path of the lock file.
pub(super) fn path(database: &Path) -> PathBuf {
    beside(database, ".lock")
}

/// The path of a file beside the database.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Fails if a restore was interrupted in the middle.
pub(super) fn check_restored(database: &Path) -> Result<(), OpenProblem> {
    match fs::metadata(path(database)) {
        Ok(lock) if lock.len() > 0 => Err(OpenProblem::Restoring),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Runs `check` if no server uses the database, which cannot start meanwhile.
pub(super) fn while_unused(
    database: &Path,
    check: impl FnOnce() -> Result<(), OpenProblem>,
) -> Result<(), OpenProblem> {
    let lock = match File::open(path(database)) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Some(file),
            Err(_) => return Ok(()),
        },
        Err(_) => None,
    };
    let checked = check();
    drop(lock);
    checked
}

fn exclusively(file: &File) -> Result<(), OpenProblem> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(OpenProblem::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// On Linux these locks (`flock`) and those of SQLite (`fcntl`) do not affect each other.
#[cfg(target_os = "linux")]
fn lock_database(database: &Path) -> Result<Option<File>, OpenProblem> {
    match File::open(database) {
        Ok(file) => exclusively(&file).map(|()| Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn lock_database(_: &Path) -> Result<Option<File>, OpenProblem> {
    Ok(None)
}

/// For writing. A new file is accessible to its owner only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
