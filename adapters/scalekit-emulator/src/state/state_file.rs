//! The file by which clients survive a restart.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::records::Records;
use super::signing_key::{SigningKey, StoredKey};
use crate::error::EmulatorError;
use crate::json;

const VERSION: u32 = 1;

/// The private JSON file with the key and the records. It belongs to one process at a time.
pub(crate) struct StateFile {
    path: PathBuf,
    /// Marks the file as that of this program.
    format: String,
    key: StoredKey,
}

/// The part of the file that every version can read.
#[derive(Deserialize)]
struct Envelope {
    format: Option<String>,
    version: Option<u32>,
}

#[derive(Deserialize)]
pub(crate) struct Document {
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

/// Only the owner may read or write the file: it holds a private key.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "same signature as on Unix")]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

impl StateFile {
    /// Reads the file of `program`, or generates a key and writes the file if there is none. A file that
    /// is not valid is never written to. Blocks.
    pub(crate) fn open(
        path: PathBuf,
        program: &str,
    ) -> Result<(Self, SigningKey, Records), EmulatorError> {
        let Some((Document { signing_key, records }, usable)) = read(&path, program)? else {
            return Self::create(path, format(program));
        };
        Ok((Self { path, format: format(program), key: signing_key }, usable, records))
    }

    fn create(path: PathBuf, format: String) -> Result<(Self, SigningKey, Records), EmulatorError> {
        let (key, usable) = new_key()?;
        let file = Self { path, format, key };
        let records = Records::default();
        file.write(&records)
            .map_err(|reason| EmulatorError::StateUnwritable { path: file.path.clone(), reason })?;
        Ok((file, usable, records))
    }

    /// Replaces the file in one step and returns once it is on disk. Blocks.
    pub(crate) fn write(&self, records: &Records) -> io::Result<()> {
        let document = DocumentToWrite {
            format: &self.format,
            version: VERSION,
            signing_key: &self.key,
            records,
        };
        let mut temporary = tempfile::Builder::new()
            .prefix(&self.temporary_prefix())
            // On Unix the mode is 0600, and stays so when the file is renamed.
            .tempfile_in(self.directory())?;
        let json = json::escaped(serde_json::to_string_pretty(&document)?);
        temporary.write_all(json.as_bytes())?;
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

    /// Begins with the name of the file, so that rules that match the file by its name, such as those of
    /// `.gitignore`, also match what a crash leaves behind.
    fn temporary_prefix(&self) -> std::ffi::OsString {
        let mut prefix = self.path.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        prefix
    }
}

/// A new key, and the form in which it can be stored. Blocks.
pub(crate) fn new_key() -> Result<(StoredKey, SigningKey), EmulatorError> {
    let stored = StoredKey::generate().map_err(|_| EmulatorError::KeyGeneration)?;
    let usable = SigningKey::new(&stored).map_err(|_| EmulatorError::KeyGeneration)?;
    Ok((stored, usable))
}

/// What marks a file as that of a program.
fn format(program: &str) -> String {
    format!("{program} local Scalekit")
}

/// Reads the file of `program`, and makes it private. `None` if there is none. Blocks.
pub(crate) fn read(
    path: &Path,
    program: &str,
) -> Result<Option<(Document, SigningKey)>, EmulatorError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => {
            return Err(EmulatorError::StateUnreadable { path: path.to_owned(), reason });
        }
    };
    let document = parse(path, &format(program), &bytes)?;
    let usable = SigningKey::new(&document.signing_key);
    let usable = usable.map_err(|_| EmulatorError::StateCorrupt {
        path: path.to_owned(),
        problem: "its key is not an RSA private key".to_owned(),
    })?;
    let unwritable = |reason| EmulatorError::StateUnwritable { path: path.to_owned(), reason };
    make_private(path).map_err(unwritable)?;
    Ok(Some((document, usable)))
}

fn parse(path: &Path, format: &str, bytes: &[u8]) -> Result<Document, EmulatorError> {
    let envelope: Envelope = parse_json(path, bytes)?;
    if envelope.format.as_deref() != Some(format) {
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
        // The library's message may quote the input, and this file holds a private key.
        problem: format!("line {}, column {}", error.line(), error.column()),
    })
}
