//! Whether the open database files are still at their paths.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// The files of an open database. A process that has them open can continue to write after they have
/// been removed or replaced, and the writes would be lost.
#[derive(Default)]
pub(super) struct Files(Vec<(PathBuf, Identity)>);

impl Files {
    /// The files that SQLite has opened.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let files = [database.to_owned(), log.into()].into_iter();
        files.map(|file| identity(&file).map(|it| (file, it))).collect::<io::Result<_>>().map(Self)
    }

    /// Whether they are still at their paths. A file that cannot be inspected counts as in place.
    pub(super) fn are_in_place(&self) -> bool {
        self.0.iter().all(|(file, opened)| match identity(file) {
            Ok(found) => found == *opened,
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

/// Elsewhere, an open file cannot be removed.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(file: &Path) -> io::Result<Identity> {
    file.metadata().map(drop)
}
