//! Reading a database file alone, without a write-ahead log beside it.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// Opens a file for reading, and neither applies nor creates files beside it.
///
/// Nothing may write to the file meanwhile.
pub(super) fn open(file: &Path) -> rusqlite::Result<Connection> {
    let file = file.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(file.to_owned()))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri(file), flags)
}

/// SQLite, "URI Filenames".
fn uri(file: &str) -> String {
    let mut uri = "file:".to_owned();
    for byte in file.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => drop(write!(uri, "%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}
