//! Conversion between todos and rows of the table `todos`.

use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use thiserror::Error;
use todo_application::domain::{
    Completion, Description, Instant, Subject, Title, Todo, TodoId, TodoRecord, Version,
    WorkspaceId,
};
use todo_application::ports::{BoxError, StorageError};

/// A query over `todos` for [`read`]: its columns, then the clauses of the caller. With `workspace, `
/// before those, the rows also have the workspace, for [`read_any`].
macro_rules! select {
    ($rest:literal) => {
        select!(@ "", $rest)
    };
    (workspace, $rest:literal) => {
        select!(@ ", workspace", $rest)
    };
    (@ $more:literal, $rest:literal) => {
        concat!(
            "SELECT id, title, description, completed_at, created_at, created_by, ",
            "updated_at, updated_by, version",
            $more,
            " FROM todos ",
            $rest
        )
    };
}
pub(super) use select;

/// A todo as the parameters `?1` to `?10`: workspace, id, then the columns of [`select`] after the
/// id, in their order.
pub(super) fn values(todo: &Todo) -> [ToSqlOutput<'_>; 10] {
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
    [
        text(workspace.as_str()),
        ToSqlOutput::Borrowed(ValueRef::Blob(id.as_uuid().as_bytes())),
        text(title.as_str()),
        description.as_deref().map_or(NULL, text),
        completion.at().map_or(NULL, |at| at.as_unix_millis().into()),
        created_at.as_unix_millis().into(),
        text(created_by.as_str()),
        updated_at.as_unix_millis().into(),
        text(updated_by.as_str()),
        version.as_i64().into(),
    ]
}

const NULL: ToSqlOutput<'static> = ToSqlOutput::Owned(Value::Null);

fn text(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
}

/// Reads a row of a [`select`] that was keyed by `workspace`. [`StorageError::Corrupt`] if this program
/// cannot have written it.
pub(super) fn read(row: &Row<'_>, workspace: &WorkspaceId) -> Result<Todo, StorageError> {
    restore(row, workspace).map_err(|source| StorageError::Corrupt { id: stored_id(row), source })
}

/// Reads a row of a [`select`] of all workspaces.
pub(super) fn read_any(row: &Row<'_>) -> Result<Todo, StorageError> {
    let workspace = column(row, 9, |value| Ok(WorkspaceId::try_from(value.as_str()?)?));
    let todo = workspace.and_then(|workspace| restore(row, &workspace));
    todo.map_err(|source| StorageError::Corrupt { id: stored_id(row), source })
}

fn restore(row: &Row<'_>, workspace: &WorkspaceId) -> Result<Todo, BoxError> {
    let record = TodoRecord {
        workspace: workspace.clone(),
        id: column(row, 0, |value| Ok(TodoId::from_bytes(value.as_blob()?.try_into()?)))?,
        title: column(row, 1, |value| Ok(Title::restore(value.as_str()?)?))?,
        description: column(row, 2, description)?,
        completion: column(row, 3, completion)?,
        created_at: column(row, 4, instant)?,
        created_by: column(row, 5, subject)?,
        updated_at: column(row, 6, instant)?,
        updated_by: column(row, 7, subject)?,
        version: column(row, 8, |value| Ok(Version::try_from(value.as_i64()?)?))?,
    };
    Ok(Todo::restore(record)?)
}

fn description(value: ValueRef<'_>) -> Result<Description, BoxError> {
    let text = value.as_str_or_null()?;
    Ok(text.map_or(Ok(Description::NONE), Description::try_from)?)
}

fn completion(value: ValueRef<'_>) -> Result<Completion, BoxError> {
    Ok(match value.as_i64_or_null()? {
        None => Completion::Open,
        Some(millis) => Completion::Done { at: Instant::from_unix_millis(millis)? },
    })
}

fn instant(value: ValueRef<'_>) -> Result<Instant, BoxError> {
    Ok(Instant::from_unix_millis(value.as_i64()?)?)
}

fn subject(value: ValueRef<'_>) -> Result<Subject, BoxError> {
    Ok(Subject::restore(value.as_str()?)?)
}

#[derive(Debug, Error)]
#[error("its `{column}` is not what this program writes")]
struct Unreadable {
    column: String,
    source: BoxError,
}

fn column<'row, T>(
    row: &'row Row<'_>,
    index: usize,
    parse: impl FnOnce(ValueRef<'row>) -> Result<T, BoxError>,
) -> Result<T, BoxError> {
    parse(row.get_ref(index)?).map_err(|source| {
        let name = row.as_ref().column_name(index);
        let column = name.unwrap_or("column").to_owned();
        Unreadable { column, source }.into()
    })
}

/// The id as far as it can be read, for repairing the row.
fn stored_id(row: &Row<'_>) -> String {
    let id = row.get_ref(0).ok().and_then(|value| value.as_blob().ok());
    let Some(bytes) = id else {
        return "(not a blob)".to_owned();
    };
    <[u8; 16]>::try_from(bytes)
        .map_or_else(|_| format!("{bytes:02x?}"), |bytes| TodoId::from_bytes(bytes).to_string())
}
