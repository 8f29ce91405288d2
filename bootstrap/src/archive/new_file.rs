//! A file that appears when it is complete.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use tempfile::NamedTempFile;

use crate::failure::Failure;

const NOT_A_FILE: &str = "is not a regular file: choose another path, or leave it out";

/// What follows the name of a file, a dot and a random part until the file is complete.
const PARTIAL: &str = ".todo-mcp.partial";

/// How many random characters there are.
const RANDOM: usize = 6;

/// A file that gets its name when it is complete. Until then it is a temporary file in the same
/// directory, removed when this is dropped. Only its owner can read it.
pub(super) struct NewFile {
    temporary: NamedTempFile,
    path: PathBuf,
    replace: bool,
}

impl NewFile {
    /// Begins a file at `path`. An existing file is a [`Failure::Usage`] unless it is to be replaced;
    /// anything else that exists always is.
    pub(super) fn begin(path: &Path, replace: bool) -> Result<Self, Failure> {
        let refused = |rule: &str| Err(Failure::Usage(format!("{} {rule}", path.display())));
        match path.metadata() {
            Ok(existing) if !existing.is_file() => return refused(NOT_A_FILE),
            Ok(_) if !replace => {
                return refused("already exists: choose another path or pass --force");
            }
            // If it cannot be inspected, creating the temporary file gives the better error.
            Ok(_) | Err(_) => {}
        }
        // The target of a link is replaced, not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let Some(name) = path.file_name() else { return refused(NOT_A_FILE) };
        let mut prefix = name.to_owned();
        prefix.push(".");
        remove_leftovers(directory(&path), &prefix);
        let temporary = temporary(directory(&path), &prefix)
            .map_err(|error| Failure::Unavailable(not_created(&path, error)))?;
        Ok(Self { temporary, path, replace })
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    pub(super) fn as_file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Gives it its name once its content is on disk.
    pub(super) fn complete(self) -> Result<(), Failure> {
        let Self { temporary, path, replace } = self;
        let named = || {
            temporary.as_file().sync_all()?;
            if replace { temporary.persist(&path) } else { temporary.persist_noclobber(&path) }?;
            sync(directory(&path))
        };
        named()
            .with_context(|| format!("{} cannot be completed", path.display()))
            .map_err(Failure::Other)
    }
}

/// The name of the temporary file, which the library adds to the error, would only confuse.
fn not_created(path: &Path, error: io::Error) -> anyhow::Error {
    use io::ErrorKind::{
        InvalidFilename, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem,
    };

    let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
    let remedy = if is(&[NotFound, NotADirectory]) {
        "create its directory first"
    } else if is(&[PermissionDenied, ReadOnlyFilesystem]) {
        "let this user write to its directory"
    } else if is(&[InvalidFilename]) {
        "choose a shorter name"
    } else {
        let created = format!("{} cannot be created", path.display());
        return anyhow::Error::new(error).context(created);
    };
    anyhow!("{} cannot be created: {remedy}", path.display())
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(directory: &Path, prefix: &OsStr) -> io::Result<NamedTempFile> {
    loop {
        let temporary = tempfile::Builder::new()
            .prefix(prefix)
            .suffix(PARTIAL)
            .rand_bytes(RANDOM)
            .tempfile_in(directory)?;
        // While the lock is held, another command does not take it for a leftover. It may have done so
        // just before, and then holds the lock until it has removed the file.
        mark_as_in_use(temporary.as_file())?;
        if temporary.path().exists() {
            return Ok(temporary);
        }
    }
}

/// Removes the temporary files of commands that were killed, and what SQLite keeps beside them. What
/// cannot be removed stays.
fn remove_leftovers(directory: &Path, prefix: &OsStr) {
    let Some(prefix) = prefix.to_str() else { return };
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let random = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(PARTIAL));
        let is_ours = random.is_some_and(|random| {
            random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Some(_lock) = unused(&entry.path()) else { continue };
        for suffix in ["", "-wal", "-shm"] {
            // The ones beside it rarely exist.
            let _ = fs::remove_file(directory.join(format!("{name}{suffix}")));
        }
    }
}

/// Elsewhere, this lock would get in the way of SQLite.
#[cfg(target_os = "linux")]
fn mark_as_in_use(file: &File) -> io::Result<()> {
    file.lock()
}

#[cfg(not(target_os = "linux"))]
fn mark_as_in_use(_: &File) -> io::Result<()> {
    Ok(())
}

/// The file if no command uses it, and none can take it while this is open. A file of another user counts as
/// used.
#[cfg(target_os = "linux")]
fn unused(path: &Path) -> Option<File> {
    File::open(path).ok().filter(|file| file.try_lock().is_ok())
}

/// No command runs for a day.
#[cfg(not(target_os = "linux"))]
fn unused(path: &Path) -> Option<File> {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
    let file = File::open(path).ok()?;
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok()?;
    modified.elapsed().is_ok_and(|age| age >= DAY).then_some(file)
}

/// The name is on disk once the directory is.
#[cfg(unix)]
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Directories cannot be opened here, and need not be.
#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tempfile::TempDir;

    use super::*;

    fn place() -> (TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("todos.jsonl");
        (directory, path)
    }

    fn begin(path: &Path, replace: bool) -> NewFile {
        let file = NewFile::begin(path, replace).unwrap();
        file.as_file().write_all(b"new").unwrap();
        file
    }

    fn names(directory: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_has_its_name_once_it_is_complete() {
        let (directory, path) = place();
        let file = begin(&path, false);
        let [name] = &names(&directory)[..] else { panic!("one file") };
        assert!(name.starts_with("todos.jsonl.") && name.ends_with(".partial"), "{name}");
        file.complete().unwrap();
        assert_eq!(names(&directory), ["todos.jsonl"]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn an_incomplete_file_leaves_nothing_behind_and_replaces_nothing() {
        let (directory, path) = place();
        drop(begin(&path, false));
        assert_eq!(names(&directory), [""; 0]);
        fs::write(&path, "old").unwrap();
        drop(begin(&path, true));
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn leftovers_of_killed_commands_are_removed() {
        let (directory, path) = place();
        for name in
            ["todos.jsonl.aB3xYz.todo-mcp.partial", "todos.jsonl.aB3xYz.todo-mcp.partial-wal"]
        {
            fs::write(directory.path().join(name), "left").unwrap();
        }
        let others = [
            "other.jsonl.aB3xYz.todo-mcp.partial",
            "todos.jsonl.backup.partial",
            "todos.jsonl.old",
        ];
        for name in others {
            fs::write(directory.path().join(name), "theirs").unwrap();
        }
        let in_use = begin(&path, false);
        begin(&path, false).complete().unwrap();
        assert!(in_use.temporary.path().exists());
        drop(in_use);
        let mut names = names(&directory);
        names.sort();
        assert_eq!(names, [others[0], "todos.jsonl", others[1], others[2]]);
    }

    #[test]
    fn a_file_that_is_created_in_the_meantime_is_not_replaced() {
        let (directory, path) = place();
        let file = begin(&path, false);
        fs::write(&path, "theirs").unwrap();
        assert!(file.complete().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(&directory), ["todos.jsonl"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_target_of_a_link_is_replaced() {
        let (directory, path) = place();
        fs::write(&path, "old").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        begin(&link, true).complete().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
