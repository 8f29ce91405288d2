//! Whether the next process will find what this one writes.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The files of an open database. Whoever has them open can go on writing when they have been
/// removed, or others put in their place, and nobody would ever see it.
#[derive(Default)]
pub(super) struct Files(Vec<(PathBuf, Identity)>);

impl Files {
    /// The files as they are now, when SQLite has opened them.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let files = [database.to_owned(), log.into()].into_iter();
        files.map(|file| identity(&file).map(|it| (file, it))).collect::<io::Result<_>>().map(Self)
    }

    /// Whether they still are where they were. A file that may not be looked at is.
    pub(super) fn are_in_place(&self) -> bool {
        self.0.iter().all(|(file, opened)| match identity(file) {
            Ok(there) => there == *opened,
            Err(error) => error.kind() != ErrorKind::NotFound,
        })
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Elsewhere, a file stays in its place as long as it is open.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(file: &Path) -> io::Result<Identity> {
    file.metadata().map(drop)
}
