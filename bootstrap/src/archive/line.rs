//! A todo as a line of JSON.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::{FromStr as _, Utf8Error};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;
use todo_application::domain::{
    Completion, Description, Due, Instant, Label, Labels, Priority, RequestedDue, RestoreError,
    Subject, TimeZone, Title, Todo, TodoId, TodoRecord, Version, WorkspaceId, WrittenDue,
};

const FORMAT: &str = "todo-mcp";

/// The format that is written. Version 1, which is read too, has no due dates, priorities and labels.
const FORMAT_VERSION: u32 = 2;

/// The format of an export with its history: the same, followed by what is remembered.
const HISTORY_VERSION: u32 = 3;

/// The length limit of a line, in bytes. The longest todo fits even if each of its characters is
/// escaped, which makes 96 KiB of the 16 KiB of a description; so does a change, which has two.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    format: String,
    pub(super) version: u32,
    /// How many lines follow, to detect an incomplete file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) todos: Option<u64>,
    /// How many changes follow, if the history does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changes: Option<u64>,
}

impl Header {
    pub(super) fn new(todos: u64, changes: Option<u64>) -> Self {
        let version = if changes.is_some() { HISTORY_VERSION } else { FORMAT_VERSION };
        Self { format: FORMAT.to_owned(), version, todos: Some(todos), changes }
    }

    /// Whether a history follows the todos.
    pub(super) fn has_history(&self) -> bool {
        self.version == HISTORY_VERSION
    }

    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        check_format(line)?;
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        // Unknown fields are ignored: a later version may add some.
        let header = serde_json::from_slice::<Self>(line);
        let header = header.map_err(|_| {
            let is_todo = (1..=FORMAT_VERSION).any(|version| parse(line, version).is_ok());
            if is_todo { LineError::NoHeader } else { LineError::Header }
        })?;
        match header.version {
            _ if header.format != FORMAT => Err(LineError::Header),
            1..=HISTORY_VERSION => Ok(header),
            other => Err(LineError::FormatVersion(other)),
        }
    }
}

/// Editors of Windows write it. It is ignored.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const UTF_16: &str = "encoded in UTF-16: convert it to UTF-8 first";
const UTF_32: &str = "encoded in UTF-32: convert it to UTF-8 first";
const NOT_UTF_8: &str =
    "not encoded in UTF-8: convert it, as with `iconv -f WINDOWS-1252 -t UTF-8`";

/// The bytes by which a file that is no export is recognized, their offset, and what it is with the remedy.
/// The first that fits counts.
const OTHER_FORMATS: [(usize, &[u8], &str); 20] = [
    (0, b"\x1f\x8b", "compressed with gzip: decompress it first"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it first"),
    (0, b"\xfd7zXZ\0", "compressed with xz: decompress it first"),
    (0, b"BZh", "compressed with bzip2: decompress it first"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4: decompress it first"),
    (0, b"PK\x03\x04", "a zip archive: unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (257, b"ustar", "a tar archive: unpack it first"),
    (
        0,
        b"SQLite format 3\0",
        "an SQLite database: use `todo-mcp restore` to put back a backup, or export its todos and import \
         these",
    ),
    (0, b"PGDMP", "a PostgreSQL dump: use `pg_restore`"),
    (0, b"\xff\xfe\0\0", UTF_32),
    (0, b"\0\0\xfe\xff", UTF_32),
    (0, b"{\0\0\0", UTF_32),
    (0, b"\0\0\0{", UTF_32),
    (0, b"\xff\xfe", UTF_16),
    (0, b"\xfe\xff", UTF_16),
    (0, b"{\0", UTF_16),
    (0, b"\0{", UTF_16),
    (0, b"[", "a JSON array: an export is JSON Lines, one object in each line"),
    (0, b"<", "HTML or XML: choose a file that `todo-mcp export` has written"),
];

/// Checks that a file may be an export by the beginning of it, which may be cut.
pub(super) fn check_format(line: &[u8]) -> Result<(), LineError> {
    let is = |(offset, bytes, _): &&(usize, &[u8], &str)| {
        line.get(*offset..).is_some_and(|rest| rest.starts_with(bytes))
    };
    let line_of_text = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    if let Some((_, _, what)) = OTHER_FORMATS.iter().find(is) {
        Err(LineError::OtherFormat(what))
    } else if line.iter().any(|byte| matches!(byte, 0..=8 | 14..=31)) {
        Err(LineError::OtherFormat("not text: choose a file that `todo-mcp export` has written"))
    } else if !line_of_text.starts_with(b"{") && line.iter().any(|byte| b",;\t".contains(byte)) {
        Err(LineError::OtherFormat(
            "CSV or a similar table: make each row a line as `todo-mcp export` writes it",
        ))
    } else if str::from_utf8(line).is_err_and(|error| error.error_len().is_some()) {
        Err(LineError::OtherFormat(NOT_UTF_8))
    } else {
        Ok(())
    }
}

/// Every other line. No field may be missing, and unknown ones are rejected, as they would be lost. In
/// version 1, so are those of version 2.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "what is missing differs from what is null")]
pub(super) struct Line<'a> {
    workspace: Cow<'a, str>,
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    // Without this, serde would accept a missing field as null.
    #[serde(deserialize_with = "Option::deserialize")]
    description: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "Option::deserialize")]
    completed_at: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "given")]
    due: Option<Option<Cow<'a, str>>>,
    #[serde(default, deserialize_with = "given")]
    time_zone: Option<Option<Cow<'a, str>>>,
    priority: Option<Cow<'a, str>>,
    labels: Option<Vec<Cow<'a, str>>>,
    created_at: Cow<'a, str>,
    created_by: Cow<'a, str>,
    updated_at: Cow<'a, str>,
    updated_by: Cow<'a, str>,
    version: i64,
}

/// Tells null from a field that is missing.
#[expect(clippy::option_option, reason = "they are to be told apart")]
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Why a line cannot be imported.
#[derive(Debug, Error)]
pub enum LineError {
    /// The first line is not a header.
    #[error(
        "the first line of an export is `{{\"format\":\"{FORMAT}\",\"version\":{FORMAT_VERSION}}}`, \
         and this is something else: choose a file that `todo-mcp export` has written"
    )]
    Header,
    /// It is a todo.
    #[error(
        "the first line of an export, `{{\"format\":\"{FORMAT}\",\"version\":{FORMAT_VERSION}}}`, is \
         missing: put it before the todos"
    )]
    NoHeader,
    /// The file is not JSON Lines in UTF-8.
    #[error("the file is {0}")]
    OtherFormat(&'static str),
    /// The last character of the file is cut.
    #[error("it ends in the middle of a character: is the file complete?")]
    Cut,
    /// A later version of this program has written it.
    #[error(
        "this is version {0} of the format, and this program knows {HISTORY_VERSION}: use a newer \
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

impl From<Utf8Error> for LineError {
    fn from(error: Utf8Error) -> Self {
        if error.error_len().is_some() { Self::OtherFormat(NOT_UTF_8) } else { Self::Cut }
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
            due,
            priority,
            labels,
            created_at,
            created_by,
            updated_at,
            updated_by,
            version,
        } = todo.record();
        let zone = due.as_ref().and_then(Due::time_zone);
        let instant = |at: Instant| Cow::Owned(at.to_string());
        Self {
            workspace: workspace.as_str().into(),
            id: id.to_string().into(),
            title: title.as_str().into(),
            description: description.as_deref().map(Cow::Borrowed),
            completed_at: completion.at().map(instant),
            due: Some(due.as_ref().map(|due| due.to_string().into())),
            time_zone: Some(zone.map(|zone| zone.name().into())),
            priority: Some(priority.name().into()),
            labels: Some(labels.iter().map(|label| label.as_str().into()).collect()),
            created_at: instant(*created_at),
            created_by: created_by.as_str().into(),
            updated_at: instant(*updated_at),
            updated_by: updated_by.as_str().into(),
            version: version.as_i64(),
        }
    }
}

/// Parses every line but the first, of this version of the format.
pub(super) fn parse(line: &[u8], format: u32) -> Result<Todo, LineError> {
    let Line {
        workspace,
        id,
        title,
        description,
        completed_at,
        due,
        time_zone,
        priority,
        labels,
        created_at,
        created_by,
        updated_at,
        updated_by,
        version,
    } = serde_json::from_str(str::from_utf8(line)?)?;
    let of_version_2 = [
        ("due", due.is_some()),
        ("time_zone", time_zone.is_some()),
        ("priority", priority.is_some()),
        ("labels", labels.is_some()),
    ];
    for (field, is_given) in of_version_2 {
        match (format, is_given) {
            (1, true) => return Err(LineError::Shape(format!("unknown field `{field}`"))),
            (2.., false) => return Err(LineError::Shape(format!("missing field `{field}`"))),
            _ => {}
        }
    }
    let completed_at = completed_at.as_deref();
    let completed_at = completed_at.map(|text| field("completed_at", instant(text))).transpose()?;
    let description = description.as_deref().unwrap_or_default();
    let priority =
        priority.map(|name| field("priority", Priority::try_from(&*name))).transpose()?;
    let record = TodoRecord {
        workspace: field("workspace", WorkspaceId::try_from(&*workspace))?,
        id: field("id", TodoId::from_str(&id))?,
        title: field("title", Title::restore(&title))?,
        description: field("description", Description::try_from(description))?,
        completion: completed_at.map_or(Completion::Open, |at| Completion::Done { at }),
        due: read_due(due.flatten().as_deref(), time_zone.flatten().as_deref())?,
        priority: priority.unwrap_or_default(),
        labels: read_labels(&labels.unwrap_or_default())?,
        created_at: field("created_at", instant(&created_at))?,
        created_by: field("created_by", Subject::restore(&created_by))?,
        updated_at: field("updated_at", instant(&updated_at))?,
        updated_by: field("updated_by", Subject::restore(&updated_by))?,
        version: field("version", Version::try_from(version))?,
    };
    Ok(Todo::restore(record)?)
}

pub(super) fn read_due(due: Option<&str>, zone: Option<&str>) -> Result<Option<Due>, LineError> {
    let time_zone = field("time_zone", zone.map(TimeZone::try_from).transpose())?;
    let written = field("due", due.map(WrittenDue::try_from).transpose())?;
    let due = written.map(|written| {
        let requested = RequestedDue { written, time_zone, weekday: None };
        field("due", requested.resolve(|| None))
    });
    due.transpose()
}

pub(super) fn read_labels(texts: &[Cow<'_, str>]) -> Result<Labels, LineError> {
    let labels = texts.iter().map(|text| Label::try_from(&**text)).collect::<Result<Vec<_>, _>>();
    field("labels", Labels::try_from(field("labels", labels)?))
}

pub(super) fn field<T, E: Display>(
    field: &'static str,
    parsed: Result<T, E>,
) -> Result<T, LineError> {
    parsed.map_err(|error| LineError::Field { field, rule: error.to_string() })
}

/// Parses what [`Instant`] displays. A more precise instant would be changed by the import.
pub(super) fn instant(text: &str) -> Result<Instant, String> {
    let rule = || "must be an instant such as 2026-11-22T09:30:00.000Z, in milliseconds".to_owned();
    let timestamp: Timestamp = text.parse().map_err(|_| rule())?;
    let instant = Instant::from_unix_millis(timestamp.as_millisecond());
    let instant = instant.map_err(|error| error.to_string())?;
    if timestamp.subsec_nanosecond() % 1_000_000 == 0 { Ok(instant) } else { Err(rule()) }
}
