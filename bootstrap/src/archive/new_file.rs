//! A file that appears when it is complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use crate::failure::Failure;

const NOT_A_FILE: &str = "is not a regular file: choose another path, or leave it out";

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
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            .tempfile_in(directory(&path))
            .with_context(|| format!("{} cannot be created", path.display()))
            .map_err(Failure::Unavailable)?;
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

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
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
    use std::fs;
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
