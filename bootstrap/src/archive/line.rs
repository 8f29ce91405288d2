//! How a todo is a line of text.

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

/// The longest line there is, in bytes. The longest todo fits when each of its characters is written
/// as an escape: 16 KiB of description alone are 96 KiB then.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    version: u32,
    /// How many lines follow, so that one can tell when some are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) todos: Option<u64>,
}

impl Header {
    pub(super) fn new(todos: u64) -> Self {
        Self { format: FORMAT.to_owned(), version: FORMAT_VERSION, todos: Some(todos) }
    }

    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        // What else a later version says here, an earlier one cannot know.
        let header: Self = serde_json::from_slice(line).map_err(|_| LineError::Header)?;
        match header.version {
            _ if header.format != FORMAT => Err(LineError::Header),
            FORMAT_VERSION => Ok(header),
            other => Err(LineError::FormatVersion(other)),
        }
    }
}

/// Every other line. No field may be missing, and none may be there that this program would drop.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<'a> {
    workspace: Cow<'a, str>,
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    // Said, so that an absent one is missing and not null.
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

/// What is wrong with a line.
#[derive(Debug, Error)]
pub enum LineError {
    /// The first line does not say what follows.
    #[error(
        "the first line of an export is `{{\"format\":\"{FORMAT}\",\"version\":{FORMAT_VERSION}}}`, \
         and this is something else"
    )]
    Header,
    /// A later version of this program wrote it.
    #[error(
        "this is version {0} of the format, and this program knows {FORMAT_VERSION}: use a newer \
         todo-mcp"
    )]
    FormatVersion(u32),
    /// It has more bytes than a line can have.
    #[error("it is longer than {MAX_BYTES} bytes, which no todo is")]
    TooLong,
    /// It is not a JSON object with exactly the fields of a todo.
    #[error("{0}")]
    Shape(String),
    /// A field breaks the rule of its type.
    #[error("`{field}` {rule}")]
    Field {
        /// Which one.
        field: &'static str,
        /// What it should be.
        rule: String,
    },
    /// Each field is fine, and together they are not.
    #[error(transparent)]
    Todo(#[from] RestoreError),
}

impl From<serde_json::Error> for LineError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // It counts lines of its own.
        let (rule, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
        Self::Shape(format!("{rule} (at column {})", error.column()))
    }
}

impl<'a> From<&'a Todo> for Line<'a> {
    fn from(todo: &'a Todo) -> Self {
        let record = todo.record();
        let instant = |at: Instant| Cow::Owned(at.to_string());
        Self {
            workspace: record.workspace.as_str().into(),
            id: record.id.to_string().into(),
            title: record.title.as_str().into(),
            description: record.description.as_deref().map(Cow::Borrowed),
            completed_at: record.completion.at().map(instant),
            created_at: instant(record.created_at),
            created_by: record.created_by.as_str().into(),
            updated_at: instant(record.updated_at),
            updated_by: record.updated_by.as_str().into(),
            version: record.version.as_i64(),
        }
    }
}

/// Reads a line.
pub(super) fn parse(line: &[u8]) -> Result<Todo, LineError> {
    let line: Line<'_> = serde_json::from_slice(line)?;
    let completed_at = line.completed_at.as_deref();
    let completed_at = completed_at.map(|text| field("completed_at", instant(text))).transpose()?;
    let description = line.description.as_deref().unwrap_or_default();
    let record = TodoRecord {
        workspace: field("workspace", WorkspaceId::try_from(&*line.workspace))?,
        id: field("id", TodoId::from_str(&line.id))?,
        title: field("title", Title::restore(&line.title))?,
        description: field("description", Description::try_from(description))?,
        completion: completed_at.map_or(Completion::Open, |at| Completion::Done { at }),
        created_at: field("created_at", instant(&line.created_at))?,
        created_by: field("created_by", Subject::try_from(&*line.created_by))?,
        updated_at: field("updated_at", instant(&line.updated_at))?,
        updated_by: field("updated_by", Subject::try_from(&*line.updated_by))?,
        version: field("version", Version::try_from(line.version))?,
    };
    Ok(Todo::restore(record)?)
}

fn field<T, E: Display>(field: &'static str, parsed: Result<T, E>) -> Result<T, LineError> {
    parsed.map_err(|error| LineError::Field { field, rule: error.to_string() })
}

/// Reads what [`Instant`] shows. Anything more precise would not be what is read back.
fn instant(text: &str) -> Result<Instant, String> {
    let rule = || "must be an instant such as 2026-11-22T09:30:00.000Z, in milliseconds".to_owned();
    let timestamp: Timestamp = text.parse().map_err(|_| rule())?;
    let instant = Instant::from_unix_millis(timestamp.as_millisecond());
    let instant = instant.map_err(|error| error.to_string())?;
    if timestamp.subsec_nanosecond() % 1_000_000 == 0 { Ok(instant) } else { Err(rule()) }
}
