//! The file that records are appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// A file, or standard output.
pub(super) struct Output {
    file: File,
    /// Where to open the file anew. `None` for standard output.
    path: Option<PathBuf>,
    /// Whether it is a file on a disk, and not a pipe or a terminal.
    is_regular: bool,
    /// Whether the file ends with a part of a line that is not to be continued.
    has_cut_line: bool,
    /// How long the file was when the last write failed in the middle of a line.
    length_at_failure: Option<u64>,
}

/// Lines that are being written.
pub(super) struct Progress<'a> {
    pub(super) lines: &'a [u8],
    /// How many bytes of them are written.
    pub(super) done: usize,
}

impl Progress<'_> {
    /// Where the line begins that is partly written.
    fn line_start(&self) -> usize {
        let done = self.lines.get(..self.done).unwrap_or_default();
        done.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1)
    }
}

impl Output {
    /// Opens a file, which is created for its owner only. What a process before has not written to the end of
    /// its line is ended.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        // So that a record that is on disk is in a file that has a name there.
        #[cfg(unix)]
        if let Some(directory) = path.parent() {
            File::open(directory)?.sync_all()?;
        }
        Self::new(file, Some(path))
    }

    pub(super) fn standard() -> io::Result<Self> {
        #[cfg(unix)]
        let file = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
        #[cfg(windows)]
        let file = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
        Self::new(file.into(), None)
    }

    fn new(file: File, path: Option<PathBuf>) -> io::Result<Self> {
        let is_regular = file.metadata()?.is_file();
        let mut output =
            Self { file, path, is_regular, has_cut_line: false, length_at_failure: None };
        output.has_cut_line = output.ends_in_a_line();
        Ok(output)
    }

    /// Opens the file anew, which may have been moved. If that fails, the old one is kept. A line that is partly
    /// written begins anew in the new file, and the part ends in the old one if that is possible.
    pub(super) fn reopen(&mut self, progress: &mut Progress<'_>) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut new = Self::file(path)?;
        let start = progress.line_start();
        if start < progress.done {
            let _ = self.file.write_all(b"\n");
            progress.done = start;
            // It may be the same file.
            new.has_cut_line = new.ends_in_a_line();
        }
        *self = new;
        Ok(())
    }

    /// Writes the lines from where they stopped. After an error, it can be called again.
    pub(super) fn write(&mut self, progress: &mut Progress<'_>) -> io::Result<()> {
        let length = self.length_at_failure.take();
        if length.is_some() && length != self.length() {
            // The file is another than it was, such as one that was emptied to make room.
            progress.done = progress.line_start();
            self.has_cut_line = self.ends_in_a_line();
        }
        let written = self.write_rest(progress);
        if written.is_err() && progress.line_start() < progress.done {
            self.length_at_failure = self.length();
        }
        written
    }

    fn write_rest(&mut self, progress: &mut Progress<'_>) -> io::Result<()> {
        if self.has_cut_line {
            self.file.write_all(b"\n")?;
            self.has_cut_line = false;
        }
        while let Some(rest) = progress.lines.get(progress.done..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => progress.done += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits until what is written is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        if self.is_regular { self.file.sync_data() } else { Ok(()) }
    }

    fn length(&self) -> Option<u64> {
        self.file.metadata().ok().filter(|_| self.is_regular).map(|metadata| metadata.len())
    }

    /// Whether the file ends with something else than the end of a line.
    fn ends_in_a_line(&mut self) -> bool {
        let mut last = [b'\n'];
        let mut read_last = || {
            self.file.seek(SeekFrom::End(-1))?;
            self.file.read_exact(&mut last)
        };
        // What is empty or cannot be read, such as standard output, has no such end.
        let is_read = self.is_regular && self.path.is_some() && read_last().is_ok();
        is_read && last != [b'\n']
    }
}

#[cfg(test)]
mod tests;
