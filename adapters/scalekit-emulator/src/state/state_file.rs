//! The file that makes a restart invisible to clients.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    records::Records,
    signing_key::{SigningKey, StoredKey},
};
use crate::error::EmulatorError;

/// Marks a file as ours.
const FORMAT: &str = "todo-mcp local Scalekit";
const VERSION: u32 = 1;

/// The private JSON file with the key and the records. It belongs to one process at a time.
pub(crate) struct StateFile {
    path: PathBuf,
    key: StoredKey,
}

/// What a program of any version can read of the file.
#[derive(Deserialize)]
struct Envelope {
    format: Option<String>,
    version: Option<u32>,
}

#[derive(Deserialize)]
struct Document {
    signing_key: StoredKey,
    records: Records,
}

#[derive(Serialize)]
struct DocumentToWrite<'a> {
    format: &'a str,
    version: u32,
    signing_key: &'a StoredKey,
    records: &'a Records,
}

/// Takes the file from everybody but its owner, as it is written: it holds a private key.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it stands in for the one with modes")]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

impl StateFile {
    /// Reads the file, or makes a key and writes the file where there is none. Blocks.
    ///
    /// # Errors
    ///
    /// [`EmulatorError`]; a file that is not exactly ours is never written to.
    pub(crate) fn open(path: PathBuf) -> Result<(Self, SigningKey, Records), EmulatorError> {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Self::create(path),
            Err(reason) => return Err(EmulatorError::StateUnreadable { path, reason }),
        };
        let Document { signing_key, records } = parse(&path, &bytes)?;
        if let Err(reason) = make_private(&path) {
            return Err(EmulatorError::StateUnwritable { path, reason });
        }
        let usable = SigningKey::new(&signing_key).map_err(|_| EmulatorError::StateCorrupt {
            path: path.clone(),
            problem: "its key is no RSA private key".to_owned(),
        })?;
        Ok((Self { path, key: signing_key }, usable, records))
    }

    fn create(path: PathBuf) -> Result<(Self, SigningKey, Records), EmulatorError> {
        let (key, usable) = new_key()?;
        let file = Self { path, key };
        let records = Records::default();
        file.write(&records)
            .map_err(|reason| EmulatorError::StateUnwritable { path: file.path.clone(), reason })?;
        Ok((file, usable, records))
    }

    /// Replaces the file in one step and returns once it is on disk. Blocks.
    pub(crate) fn write(&self, records: &Records) -> io::Result<()> {
        let document =
            DocumentToWrite { format: FORMAT, version: VERSION, signing_key: &self.key, records };
        let mut temporary = tempfile::Builder::new()
            .prefix(&self.temporary_prefix())
            // On Unix the file is readable by its owner only (0600), and stays so when renamed.
            .tempfile_in(self.directory())?;
        serde_json::to_writer_pretty(&mut temporary, &document)?;
        temporary.write_all(b"\n")?;
        temporary.as_file().sync_all()?;
        temporary.persist(&self.path)?;
        Ok(())
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// Beginning with the name of the file, so that whatever ignores or protects the file by its
    /// name treats what a crash leaves behind alike.
    fn temporary_prefix(&self) -> std::ffi::OsString {
        let mut prefix = self.path.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        prefix
    }
}

/// A key that nothing outlives, and the form in which it can be stored. Blocks.
pub(crate) fn new_key() -> Result<(StoredKey, SigningKey), EmulatorError> {
    let stored = StoredKey::generate().map_err(|_| EmulatorError::KeyGeneration)?;
    let usable = SigningKey::new(&stored).map_err(|_| EmulatorError::KeyGeneration)?;
    Ok((stored, usable))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Document, EmulatorError> {
    let envelope: Envelope = parse_json(path, bytes)?;
    if envelope.format.as_deref() != Some(FORMAT) {
        return Err(EmulatorError::StateNotOurs { path: path.to_owned() });
    }
    match envelope.version {
        Some(version) if version > VERSION => {
            Err(EmulatorError::StateTooNew { path: path.to_owned(), version })
        }
        _ => parse_json(path, bytes),
    }
}

fn parse_json<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, EmulatorError> {
    serde_json::from_slice(bytes).map_err(|error| EmulatorError::StateCorrupt {
        path: path.to_owned(),
        // The library's own message may quote what it read, and this file holds a private key.
        problem: format!("line {}, column {}", error.line(), error.column()),
    })
}
