//! A todo as a line of JSON.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use todo_application::domain::{
    Completion, Description, Instant, RestoreError, Subject, Title, Todo, TodoId, TodoRecord,
    Version, WorkspaceId,
};

const FORMAT: &str = "todo-mcp";
const FORMAT_VERSION: u32 = 1;

/// The length limit of a line, in bytes. The longest todo fits even if each of its characters is
/// escaped, which makes 96 KiB of the 16 KiB of a description.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    version: u32,
    /// How many lines follow, to detect an incomplete file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) todos: Option<u64>,
}

impl Header {
    pub(super) fn new(todos: u64) -> Self {
        Self { format: FORMAT.to_owned(), version: FORMAT_VERSION, todos: Some(todos) }
    }

    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        let line = utf_8(line)?;
        // Unknown fields are ignored: a later version may add some.
        let header: Self = serde_json::from_slice(line).map_err(|_| LineError::Header)?;
        match header.version {
            _ if header.format != FORMAT => Err(LineError::Header),
            FORMAT_VERSION => Ok(header),
            other => Err(LineError::FormatVersion(other)),
        }
    }
}

/// The beginning of a file in UTF-8, whose byte order mark is ignored. Editors and shells of Windows write
/// UTF-16, and a backup may be compressed.
fn utf_8(line: &[u8]) -> Result<&[u8], LineError> {
    match line {
        [0x1f, 0x8b, ..] => Err(LineError::Encoding("compressed with gzip: decompress it")),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Err(LineError::Encoding("compressed with zstd: decompress it"))
        }
        [b'P', b'K', 3, 4, ..] => Err(LineError::Encoding("a zip archive: unpack it")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => {
            Err(LineError::Encoding("encoded in UTF-16: convert it to UTF-8"))
        }
        [0xef, 0xbb, 0xbf, line @ ..] | line => Ok(line),
    }
}

/// Every other line. No field may be missing, and unknown ones are rejected, as they would be lost.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    workspace: Cow<'a, str>,
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    // Without this, serde would accept a missing field as null.
    #[serde(deserialize_with = "Option::deserialize")]
    description: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "Option::deserialize")]
    completed_at: Option<Cow<'a, str>>,
    created_at: Cow<'a, str>,
    created_by: Cow<'a, str>,
    updated_at: Cow<'a, str>,
    updated_by: Cow<'a, str>,
    version: i64,
}

/// Why a line cannot be imported.
#[derive(Debug, Error)]
pub enum LineError {
    /// The first line is not a header.
    #[error(
        "the first line of an export is `{{\"format\":\"{FORMAT}\",\"version\":{FORMAT_VERSION}}}`, \
         and this is something else"
    )]
    Header,
    /// The file is not text in UTF-8.
    #[error("the file is {0} first")]
    Encoding(&'static str),
    /// A later version of this program has written it.
    #[error(
        "this is version {0} of the format, and this program knows {FORMAT_VERSION}: use a newer \
         todo-mcp"
    )]
    FormatVersion(u32),
    #[error("it is longer than {MAX_BYTES} bytes, which no todo is")]
    TooLong,
    /// It is not a JSON object with exactly the fields of a todo.
    #[error("{0}")]
    Shape(String),
    #[error("`{field}` {rule}")]
    Field { field: &'static str, rule: String },
    /// Each field is valid, but not all of them together.
    #[error(transparent)]
    Todo(#[from] RestoreError),
}

impl From<serde_json::Error> for LineError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // Its line number is always 1.
        let (rule, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
        Self::Shape(format!("{rule} (at column {})", error.column()))
    }
}

impl<'a> From<&'a Todo> for Line<'a> {
    fn from(todo: &'a Todo) -> Self {
        let TodoRecord {
            id,
            workspace,
            title,
            description,
            completion,
            created_at,
            created_by,
            updated_at,
            updated_by,
            version,
        } = todo.record();
        let instant = |at: Instant| Cow::Owned(at.to_string());
        Self {
            workspace: workspace.as_str().into(),
            id: id.to_string().into(),
            title: title.as_str().into(),
            description: description.as_deref().map(Cow::Borrowed),
            completed_at: completion.at().map(instant),
            created_at: instant(*created_at),
            created_by: created_by.as_str().into(),
            updated_at: instant(*updated_at),
            updated_by: updated_by.as_str().into(),
            version: version.as_i64(),
        }
    }
}

/// Parses every line but the first.
pub(super) fn parse(line: &[u8]) -> Result<Todo, LineError> {
    let Line {
        workspace,
        id,
        title,
        description,
        completed_at,
        created_at,
        created_by,
        updated_at,
        updated_by,
        version,
    } = serde_json::from_slice(line)?;
    let completed_at = completed_at.as_deref();
    let completed_at = completed_at.map(|text| field("completed_at", instant(text))).transpose()?;
    let description = description.as_deref().unwrap_or_default();
    let record = TodoRecord {
        workspace: field("workspace", WorkspaceId::try_from(&*workspace))?,
        id: field("id", TodoId::from_str(&id))?,
        title: field("title", Title::restore(&title))?,
        description: field("description", Description::try_from(description))?,
        completion: completed_at.map_or(Completion::Open, |at| Completion::Done { at }),
        created_at: field("created_at", instant(&created_at))?,
        created_by: field("created_by", Subject::restore(&created_by))?,
        updated_at: field("updated_at", instant(&updated_at))?,
        updated_by: field("updated_by", Subject::restore(&updated_by))?,
        version: field("version", Version::try_from(version))?,
    };
    Ok(Todo::restore(record)?)
}

fn field<T, E: Display>(field: &'static str, parsed: Result<T, E>) -> Result<T, LineError> {
    parsed.map_err(|error| LineError::Field { field, rule: error.to_string() })
}

/// Parses what [`Instant`] displays. A more precise instant would be changed by the import.
fn instant(text: &str) -> Result<Instant, String> {
    let rule = || "must be an instant such as 2026-11-22T09:30:00.000Z, in milliseconds".to_owned();
    let timestamp: Timestamp = text.parse().map_err(|_| rule())?;
    let instant = Instant::from_unix_millis(timestamp.as_millisecond());
    let instant = instant.map_err(|error| error.to_string())?;
    if timestamp.subsec_nanosecond() % 1_000_000 == 0 { Ok(instant) } else { Err(rule()) }
}
