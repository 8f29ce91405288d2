//! Conversion between todos and rows of the table `todos`.

use rusqlite::Row;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use thiserror::Error;
use todo_application::domain::{
    Completion, Description, Due, DueKey, Instant, Labels, Priority, Subject, TimeZone, Title,
    Todo, TodoId, TodoRecord, Version, WorkspaceId,
};
use todo_application::ports::{BoxError, StorageError};

/// A query over `todos` for [`read`]: its columns, then the clauses of the caller. With `workspace, `
/// before those, the rows also have the workspace, for [`read_any`]; with `number` and a column, they also have
/// that.
macro_rules! select {
    (workspace, $($rest:tt)+) => {
        select!(@ ", workspace"; $($rest)+)
    };
    (number $number:literal, $($rest:tt)+) => {
        select!(@ ", ", $number; $($rest)+)
    };
    (@ $($more:literal),+; $($rest:tt)+) => {
        concat!(
            "SELECT id, title, description, completed_at, due, due_zone, priority, labels, ",
            "created_at, created_by, updated_at, updated_by, version",
            $($more),+,
            " FROM todos ",
            $($rest)+
        )
    };
    ($($rest:tt)+) => {
        select!(@ ""; $($rest)+)
    };
}
pub(super) use select;

/// A todo as the parameters `?1` to `?15`: workspace, id, then the columns of [`select`] after the
/// id, in their order, and whether it is [fresh](is_fresh).
pub(super) fn values(todo: &Todo) -> [ToSqlOutput<'_>; 15] {
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
    [
        text(workspace.as_str()),
        blob(id.as_uuid().as_bytes()),
        text(title.as_str()),
        description.as_deref().map_or(NULL, text),
        completion.at().map_or(NULL, |at| at.as_unix_millis().into()),
        due.as_ref().map_or(NULL, |due| due.key().as_i64().into()),
        due.as_ref().and_then(Due::time_zone).map_or(NULL, |zone| text(zone.name())),
        priority.rank().into(),
        labels.to_lines().map_or(NULL, Into::into),
        created_at.as_unix_millis().into(),
        text(created_by.as_str()),
        updated_at.as_unix_millis().into(),
        text(updated_by.as_str()),
        version.as_i64().into(),
        is_fresh(todo).into(),
    ]
}

/// Whether it is as most todos were created, and its id holds when: then its place in every order follows from its
/// id (see `lists.rs`).
fn is_fresh(todo: &Todo) -> bool {
    // Without `..`: an order by a new field may need more.
    let TodoRecord {
        id,
        workspace: _,
        title: _,
        description: _,
        completion,
        due,
        priority,
        labels: _,
        created_at,
        created_by: _,
        updated_at,
        updated_by: _,
        version: _,
    } = todo.record();
    updated_at == created_at
        && id.unix_millis() == Some(created_at.as_unix_millis())
        && matches!(completion, Completion::Open)
        && due.is_none()
        && matches!(priority, Priority::Normal)
}

pub(super) const NULL: ToSqlOutput<'static> = ToSqlOutput::Owned(Value::Null);

pub(super) fn text(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
}

pub(super) fn blob(bytes: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Blob(bytes))
}

/// Reads a row of a [`select`] that was keyed by `workspace`. [`StorageError::Corrupt`] if this program
/// cannot have written it. Shares with the `last` todo that was read what they have in common.
pub(super) fn read(
    row: &Row<'_>,
    workspace: &WorkspaceId,
    last: Option<&Todo>,
) -> Result<Todo, StorageError> {
    restore(row, workspace, last)
        .map_err(|source| StorageError::Corrupt { id: stored_id(row), source })
}

/// Reads a row of a [`select`] of all workspaces.
pub(super) fn read_any(row: &Row<'_>) -> Result<Todo, StorageError> {
    let workspace = column(row, 13, |value| Ok(WorkspaceId::try_from(value.as_str()?)?));
    let todo = workspace.and_then(|workspace| restore(row, &workspace, None));
    todo.map_err(|source| StorageError::Corrupt { id: stored_id(row), source })
}

fn restore(row: &Row<'_>, workspace: &WorkspaceId, last: Option<&Todo>) -> Result<Todo, BoxError> {
    let last = last.map(|last| &last.record().created_by);
    let created_by = column(row, 9, |value| subject(value, last))?;
    let record = TodoRecord {
        workspace: workspace.clone(),
        id: column(row, 0, |value| Ok(TodoId::from_bytes(value.as_blob()?.try_into()?)))?,
        title: column(row, 1, |value| Ok(Title::restore(value.as_str()?)?))?,
        description: column(row, 2, description)?,
        completion: column(row, 3, completion)?,
        due: due(row)?,
        priority: column(row, 6, |value| Ok(Priority::from_rank(value.as_i64()?)?))?,
        labels: column(row, 7, |value| Ok(Labels::from_lines(value.as_str_or_null()?)?))?,
        created_at: column(row, 8, instant)?,
        updated_at: column(row, 10, instant)?,
        updated_by: column(row, 11, |value| subject(value, Some(&created_by)))?,
        created_by,
        version: column(row, 12, |value| Ok(Version::try_from(value.as_i64()?)?))?,
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

fn due(row: &Row<'_>) -> Result<Option<Due>, BoxError> {
    let key = column(row, 4, |value| Ok(value.as_i64_or_null()?))?;
    let zone =
        column(row, 5, |value| Ok(value.as_str_or_null()?.map(TimeZone::try_from).transpose()?))?;
    let restore = |key| column(row, 4, |_| Ok(Due::restore(DueKey::from_i64(key), zone)?));
    key.map(restore).transpose()
}

fn instant(value: ValueRef<'_>) -> Result<Instant, BoxError> {
    Ok(Instant::from_unix_millis(value.as_i64()?)?)
}

/// Most often the same as another one that is `known`.
fn subject(value: ValueRef<'_>, known: Option<&Subject>) -> Result<Subject, BoxError> {
    let text = value.as_str()?;
    Ok(match known {
        Some(known) if known.as_str() == text => known.clone(),
        _ => Subject::restore(text)?,
    })
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
