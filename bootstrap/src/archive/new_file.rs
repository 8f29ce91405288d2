//! A file that is there as a whole, or not at all.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use crate::failure::Failure;

/// A file that gets its name when it is complete. Until then it lies beside its place under another
/// name, which goes when this is dropped. Nobody but its owner can read it.
pub(super) struct NewFile {
    temporary: NamedTempFile,
    path: PathBuf,
    replace: bool,
}

impl NewFile {
    /// Begins a file at `path`. A file that is there already is a [`Failure::Usage`], unless it is to
    /// be replaced; anything else that is there always is one.
    pub(super) fn begin(path: &Path, replace: bool) -> Result<Self, Failure> {
        let refused = |rule: &str| Err(Failure::Usage(format!("{} {rule}", path.display())));
        match path.metadata() {
            Ok(there) if !there.is_file() => return refused("is no file: name one, or none"),
            Ok(_) if !replace => return refused("is there already: name another, or say --force"),
            // That it cannot be looked at, making a file beside it says better.
            Ok(_) | Err(_) => {}
        }
        // Of a link, what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let Some(name) = path.file_name() else { return refused("is no file: name one, or none") };
        let mut prefix = name.to_owned();
        prefix.push(".");
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            .tempfile_in(directory(&path))
            .with_context(|| format!("{} cannot be made", path.display()))
            .map_err(Failure::Unavailable)?;
        Ok(Self { temporary, path, replace })
    }

    /// Where it lies until it is complete.
    #[cfg(feature = "sqlite")]
    pub(super) fn temporary_path(&self) -> &Path {
        self.temporary.path()
    }

    /// What is written to it.
    pub(super) fn as_file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Gives it its name, once all of it is on disk.
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

/// A name is on disk when its directory is.
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
    fn it_has_its_name_when_it_is_complete_and_not_before() {
        let (directory, path) = place();
        let file = begin(&path, false);
        let [name] = &names(&directory)[..] else { panic!("one file") };
        assert!(name.starts_with("todos.jsonl.") && name.ends_with(".partial"), "{name}");
        file.complete().unwrap();
        assert_eq!(names(&directory), ["todos.jsonl"]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn what_is_not_completed_leaves_nothing_behind_and_replaces_nothing() {
        let (directory, path) = place();
        drop(begin(&path, false));
        assert_eq!(names(&directory), [""; 0]);
        fs::write(&path, "old").unwrap();
        drop(begin(&path, true));
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn a_file_that_somebody_makes_meanwhile_is_not_replaced() {
        let (directory, path) = place();
        let file = begin(&path, false);
        fs::write(&path, "theirs").unwrap();
        assert!(file.complete().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(names(&directory), ["todos.jsonl"]);
    }

    #[cfg(unix)]
    #[test]
    fn of_a_link_what_it_leads_to_is_replaced() {
        let (directory, path) = place();
        fs::write(&path, "old").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        begin(&link, true).complete().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
