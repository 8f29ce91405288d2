//! The locks that keep a second process from a database.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::open_error::OpenProblem;

/// What the lock file contains while a backup is put in the place of the database.
const RESTORING: &[u8] = b"restoring\n";

/// Keeps every other todo-mcp from a database while it exists.
///
/// The lock is on a separate file, `todos.db.lock`. It is deleted only if opening the database fails and
/// has created it. Another process may have opened it before that, and would lock a deleted file while a
/// third one locks a new file of that name: so the process that has locked it checks that it is still the file of
/// that name.
///
/// In case the file is deleted by hand, the database file is locked too. That is done on Linux only: on
/// other systems this lock can conflict with those of SQLite.
pub(super) struct Lock {
    file: File,
    /// The locked database file; `None` if it did not exist yet, and on systems other than Linux.
    ///
    /// It is closed after the connections of SQLite: closing any descriptor of a file releases all POSIX
    /// locks that the process holds on it, those of SQLite too.
    database: Option<File>,
    /// The files that did not exist before, until [`keep`](Self::keep).
    created: Vec<PathBuf>,
}

impl Lock {
    /// Locks the database at `database`, which need not exist.
    ///
    /// Before SQLite opens the database: see the field `database`.
    pub(super) fn take(database: &Path) -> Result<Self, OpenProblem> {
        let path = path(database);
        loop {
            let (file, is_new) = open(&path)?;
            exclusively(&file)?;
            if is_at(&file, &path) {
                let created = if is_new { vec![path] } else { Vec::new() };
                let mut lock = Self { file, database: None, created };
                lock.database = lock_database(database)?;
                return Ok(lock);
            }
        }
    }

    /// Creates the database if it does not exist, and locks it, too. SQLite would let other users read
    /// it; the files that SQLite creates beside it get its permissions.
    pub(super) fn with_database(&mut self, path: &Path) -> Result<(), OpenProblem> {
        if self.database.is_some() {
            return Ok(());
        }
        match private().create_new(true).open(path) {
            Ok(_) if CAN_REMOVE => {
                let beside = ["-wal", "-shm", "-journal"].map(|suffix| beside(path, suffix));
                self.created.extend(beside.into_iter().filter(|file| !file.exists()));
                self.created.push(path.to_owned());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => created.map(drop)?,
        }
        self.database = lock_database(path)?;
        Ok(())
    }

    /// Keeps the files that were created for the database. Without this, they are removed when the lock is
    /// dropped, after the connections of SQLite: a start that fails leaves nothing behind.
    pub(super) fn keep(&mut self) {
        self.created.clear();
    }

    /// Notes that the files of the database do not belong together until [`end_restore`](Self::end_restore).
    /// Returns whether that was noted before, by a restore that was interrupted.
    pub(super) fn begin_restore(&self) -> io::Result<bool> {
        let is_repeated = self.file.metadata()?.len() > 0;
        if !is_repeated {
            (&self.file).write_all(RESTORING)?;
            self.file.sync_all()?;
        }
        Ok(is_repeated)
    }

    pub(super) fn end_restore(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        for file in &self.created {
            // Some of them were not created after all, and there is nothing to do about the others.
            let _ = fs::remove_file(file);
        }
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

/// Runs `check` unless another process uses the database. None can begin to meanwhile.
pub(super) fn while_unused(
    database: &Path,
    check: impl FnOnce() -> Result<(), OpenProblem>,
) -> Result<(), OpenProblem> {
    let lock = match File::open(path(database)) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(_)) => None,
        },
        Err(_) => None,
    };
    let checked = check();
    drop(lock);
    checked
}

/// Opens the lock file, and returns whether it is new.
fn open(path: &Path) -> io::Result<(File, bool)> {
    match private().read(true).create_new(true).open(path) {
        Ok(file) => Ok((file, CAN_REMOVE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((private().read(true).create(true).open(path)?, false))
        }
        Err(error) => Err(error),
    }
}

/// Whether a file can be told from another one of its name, so that removing it is safe.
const CAN_REMOVE: bool = cfg!(unix);

/// Whether an open file is the one of this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let (Ok(file), Ok(named)) = (file.metadata(), path.metadata()) else { return false };
    (file.dev(), file.ino()) == (named.dev(), named.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::sqlite::fixture::Place;

    #[test]
    fn a_lock_file_that_was_removed_or_replaced_is_not_the_one_of_its_name() {
        let place = Place::new();
        let path = path(&place.file());
        let (first, is_new) = open(&path).unwrap();
        assert!(is_new && is_at(&first, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&first, &path));
        let (second, is_new) = open(&path).unwrap();
        assert!(is_new && is_at(&second, &path) && !is_at(&first, &path));
        let (same, is_new) = open(&path).unwrap();
        assert!(!is_new && is_at(&same, &path));
    }
}
