//! Whether the open database files are still at their paths, and complete.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{lock, log_marker};

/// The header of a write-ahead log, and that of each of its frames (SQLite, "Database File Format",
/// section 4.1).
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The files of an open database. A process that has them open can continue to write after they have
/// been removed, replaced or truncated, and the writes would be lost.
#[derive(Default)]
pub(super) struct Files {
    paths: Vec<(PathBuf, Identity)>,
    log: Option<File>,
    page_size: u64,
    is_truncated: AtomicBool,
}

impl Files {
    /// The files that SQLite has opened.
    pub(super) fn of(database: &Path, page_size: u32) -> io::Result<Self> {
        let log = lock::beside(database, "-wal");
        let mut files = vec![database.to_owned(), log.clone()];
        // Where nothing else keeps a second process out.
        if cfg!(not(target_os = "linux")) {
            files.push(lock::path(database));
        }
        let files = files.into_iter();
        let paths =
            files.map(|file| identity(&file).map(|it| (file, it))).collect::<io::Result<_>>();
        Ok(Self {
            paths: paths?,
            log: Some(File::open(log)?),
            page_size: page_size.into(),
            is_truncated: AtomicBool::new(false),
        })
    }

    /// Whether they are still at their paths. A file that cannot be inspected counts as in place.
    pub(super) fn are_in_place(&self) -> bool {
        self.paths.iter().all(|(file, opened)| match identity(file) {
            Ok(found) => found == *opened,
            Err(error) => error.kind() != ErrorKind::NotFound,
        })
    }

    /// Whether the write-ahead log has this many pages.
    pub(super) fn has_log(&self, pages: i64) -> bool {
        pages <= 0 || !self.lacks(pages.unsigned_abs())
    }

    /// The same, of a number that SQLite has just returned. Once it has lost some, it never has: what
    /// is written later would not be found.
    pub(super) fn has_log_of(&self, pages: i64) -> bool {
        if !self.has_log(pages) {
            self.is_truncated.store(true, Ordering::Relaxed);
        }
        !self.is_truncated()
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.is_truncated.load(Ordering::Relaxed)
    }

    /// A file that cannot be inspected lacks nothing.
    fn lacks(&self, pages: u64) -> bool {
        let Some(log) = &self.log else { return false };
        let expected = LOG_HEADER + pages * (FRAME_HEADER + self.page_size);
        log.metadata().is_ok_and(|found| found.len() < expected) || is_without_header(log)
    }
}

/// As after a truncation that a later write has filled with zeros.
fn is_without_header(mut log: &File) -> bool {
    let mut header = [0; 4];
    log.rewind().and_then(|()| log.read_exact(&mut header)).is_ok()
        && !log_marker::has_log_header(&header)
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
