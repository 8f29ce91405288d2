//! Conversion between todos and rows of the table `todo_items`.

use todo_application::domain::{
    ChangeNumber, Completion, Description, Due, DueKey, Instant, Labels, Priority, Subject,
    TimeZone, Title, Todo, TodoId, TodoRecord, Version, WorkspaceId,
};
use todo_application::ports::{BoxError, Head, StorageError};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Error, Row};

use super::parameter::Parameter;

/// A query over `todo_items` for [`read`]: its columns, then the clauses of the caller. With `workspace, `
/// before those, the rows also have the workspace, for [`read_any`]; with `number` and an expression, also that. The
/// columns alone with `columns`.
macro_rules! select {
    (columns) => {
        "id, title, description, completed_at, due, due_zone, priority, labels, \
         created_at, created_by, updated_at, updated_by, version"
    };
    (workspace, $($rest:tt)+) => {
        select!(@ (", workspace"), $($rest)+)
    };
    (number $number:literal, $($rest:tt)+) => {
        select!(@ (", ", $number, " AS number"), $($rest)+)
    };
    (@ ($($more:literal),*), $($rest:tt)+) => {
        concat!("SELECT ", select!(columns), $($more,)* " FROM todo_items ", $($rest)+)
    };
    ($($rest:tt)+) => {
        select!(@ (), $($rest)+)
    };
}
pub(super) use select;

/// The table and its columns, for what adds rows.
macro_rules! item_columns {
    () => {
        "todo_items (workspace, id, title, description, completed_at, due, due_zone, priority, labels, \
         created_at, created_by, updated_at, updated_by, version, open_id, done_id)"
    };
}
pub(super) use item_columns;

/// The table of changes and its columns, for what adds rows; with `all`, also those that only some have.
macro_rules! change_columns {
    () => {
        change_columns!(@ "")
    };
    (all) => {
        change_columns!(@ ", batch, undoes")
    };
    (@ $more:literal) => {
        concat!(
            "todo_changes (workspace, number, at, action, todo, title, version, subject, organization, \
             client, before, after, bytes",
            $more,
            ")"
        )
    };
}
pub(super) use change_columns;

/// The columns of a head for [`read_head`].
macro_rules! head_columns {
    () => {
        "todos, todo_bytes, last_id, last_number, forgotten, deleted, history_bytes"
    };
}
pub(super) use head_columns;

/// The types of [`item`].
pub(super) const ITEM_TYPES: [Type; 16] = [
    Type::BYTEA,
    Type::UUID,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::UUID,
    Type::UUID,
];

/// A todo as a row of [`item_columns`].
pub(super) fn item(todo: &Todo) -> Vec<Parameter<'_>> {
    let id = Some(todo.id());
    let (open, done) = if todo.completion().is_done() { (None, id) } else { (id, None) };
    values(todo).into_iter().chain([open, done].map(Parameter::OptionalId)).collect()
}

/// A todo as the parameters `$1` to `$14`: workspace, id, then the columns of [`select`] after the
/// id, in their order.
pub(super) fn values(todo: &Todo) -> [Parameter<'_>; 14] {
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
        key(workspace),
        Parameter::Id(*id),
        Parameter::Text(Some(title.as_str())),
        Parameter::Text(description.as_deref()),
        Parameter::Number(completion.at().map(Instant::as_unix_millis)),
        Parameter::Number(due.as_ref().map(|due| due.key().as_i64())),
        Parameter::Text(due.as_ref().and_then(Due::time_zone).map(TimeZone::name)),
        Parameter::Number(Some(i64::from(priority.rank()))),
        Parameter::OwnedText(labels.to_lines()),
        Parameter::Number(Some(created_at.as_unix_millis())),
        Parameter::Text(Some(created_by.as_str())),
        Parameter::Number(Some(updated_at.as_unix_millis())),
        Parameter::Text(Some(updated_by.as_str())),
        Parameter::Number(Some(version.as_i64())),
    ]
}

/// What a new todo adds to the head of its workspace: its bytes and its minted id.
pub(super) fn counted(todo: &Todo) -> [Parameter<'static>; 2] {
    [Parameter::Number(Some(todo.bytes().cast_signed())), Parameter::OptionalId(todo.minted_id())]
}

/// The `$1` of every statement.
pub(super) fn key(workspace: &WorkspaceId) -> Parameter<'_> {
    Parameter::Bytes(workspace.as_str().as_bytes())
}

/// Reads a row of `head_columns`.
pub(super) fn read_head(row: &Row) -> Result<Head, Error> {
    let number = |column: usize| row.try_get::<_, i64>(column);
    let change = |column: usize| number(column).map(|it| ChangeNumber::ZERO.plus(it));
    Ok(Head {
        todos: number(0)?.unsigned_abs(),
        bytes: number(1)?.unsigned_abs(),
        last_id: row.try_get::<_, Option<_>>(2)?.map(TodoId::from_uuid),
        latest: change(3)?,
        forgotten: change(4)?,
        deleted: number(5)?.unsigned_abs(),
        history_bytes: number(6)?.unsigned_abs(),
    })
}

/// A head as `head_columns`.
pub(super) fn head(head: &Head) -> [Parameter<'static>; 7] {
    let Head { todos, bytes, last_id, latest, forgotten, deleted, history_bytes } = head;
    let count = |number: &u64| Parameter::Number(Some(number.cast_signed()));
    let change = |number: &ChangeNumber| Parameter::Number(Some(number.as_i64()));
    [
        count(todos),
        count(bytes),
        Parameter::OptionalId(*last_id),
        change(latest),
        change(forgotten),
        count(deleted),
        count(history_bytes),
    ]
}

/// Reads a row of a [`select`] that was keyed by `workspace`. [`StorageError::Corrupt`] if this program
/// cannot have written it.
pub(super) fn read(row: &Row, workspace: &WorkspaceId) -> Result<Todo, StorageError> {
    restore(row, workspace).map_err(|source| corrupt(row, source))
}

/// Reads a row of a [`select`] of all workspaces.
pub(super) fn read_any(row: &Row) -> Result<Todo, StorageError> {
    let workspace = column(row, 13, |key: &[u8]| Ok(WorkspaceId::try_from(str::from_utf8(key)?)?));
    let todo = workspace.and_then(|workspace| restore(row, &workspace));
    todo.map_err(|source| corrupt(row, source))
}

fn corrupt(row: &Row, source: BoxError) -> StorageError {
    let id = row.try_get(0).map(TodoId::from_uuid);
    let id = id.map_or_else(|_| "(not a UUID)".to_owned(), |id| id.to_string());
    StorageError::Corrupt { id, source }
}

fn restore(row: &Row, workspace: &WorkspaceId) -> Result<Todo, BoxError> {
    let record = TodoRecord {
        workspace: workspace.clone(),
        id: column(row, 0, |uuid| Ok(TodoId::from_uuid(uuid)))?,
        title: column(row, 1, |text: &str| Ok(Title::restore(text)?))?,
        description: column(row, 2, description)?,
        completion: column(row, 3, completion)?,
        due: due(row)?,
        priority: column(row, 6, |rank: i64| Ok(Priority::from_rank(rank)?))?,
        labels: column(row, 7, |lines: Option<&str>| Ok(Labels::from_lines(lines)?))?,
        created_at: column(row, 8, instant)?,
        created_by: column(row, 9, |text: &str| Ok(Subject::restore(text)?))?,
        updated_at: column(row, 10, instant)?,
        updated_by: column(row, 11, |text: &str| Ok(Subject::restore(text)?))?,
        version: column(row, 12, |number: i64| Ok(Version::try_from(number)?))?,
    };
    Ok(Todo::restore(record)?)
}

fn description(text: Option<&str>) -> Result<Description, BoxError> {
    Ok(text.map_or(Ok(Description::NONE), Description::try_from)?)
}

fn completion(millis: Option<i64>) -> Result<Completion, BoxError> {
    Ok(match millis {
        None => Completion::Open,
        Some(millis) => Completion::Done { at: Instant::from_unix_millis(millis)? },
    })
}

fn due(row: &Row) -> Result<Option<Due>, BoxError> {
    let key = column(row, 4, |key: Option<i64>| Ok(key))?;
    let zone =
        column(row, 5, |name: Option<&str>| Ok(name.map(TimeZone::try_from).transpose()?))?;
    let restore = |key| column(row, 4, |_: i64| Ok(Due::restore(DueKey::from_i64(key), zone)?));
    key.map(restore).transpose()
}

fn instant(millis: i64) -> Result<Instant, BoxError> {
    Ok(Instant::from_unix_millis(millis)?)
}

#[derive(Debug, thiserror::Error)]
#[error("its `{column}` is not what this program writes")]
struct Unreadable {
    column: String,
    source: BoxError,
}

fn column<'row, Value: FromSql<'row>, T>(
    row: &'row Row,
    index: usize,
    parse: impl FnOnce(Value) -> Result<T, BoxError>,
) -> Result<T, BoxError> {
    row.try_get(index).map_err(Into::into).and_then(parse).map_err(|source| {
        let column = row.columns().get(index).map_or("column", |column| column.name()).to_owned();
        Unreadable { column, source }.into()
    })
}
