//! The changes of todos: a row for each write that is remembered, added in its transaction.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};
use thiserror::Error;
use todo_application::MAX_CHANGES;
use todo_application::domain::{
    Author, Change, ChangeAction, ChangeNumber, ClientId, Instant, Organization, Recorded, Subject,
    Title, Todo, TodoId, Version, WorkspaceId,
};
use todo_application::ports::{
    BoxError, ChangeRef, Direction, Erased, Head, HistoryItem, HistoryPart, Loaded, Span,
    StorageError,
};

use super::failure::failure;
use super::heads::{self, Heads, StoredHead};
use super::row::{self, select};
use crate::history::{self, Columns};

const REMEMBER: &str = "\
    INSERT INTO changes (workspace, number, at, action, todo, title, version, subject, organization, \
                         client, before, after, bytes, batch, undoes) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

const UNDO: &str = "\
    UPDATE changes SET undone_by = ?3 WHERE workspace = ?1 AND number = ?2 RETURNING action";

macro_rules! changes {
    (workspace, $($rest:tt)+) => {
        changes!(@ ", workspace", $($rest)+)
    };
    (@ $more:literal, $($rest:tt)+) => {
        concat!(
            "SELECT number, at, action, todo, title, version, subject, organization, client, before, \
             after, batch, undoes, undone_by",
            $more,
            " FROM changes ",
            $($rest)+
        )
    };
    ($($rest:tt)+) => {
        changes!(@ "", $($rest)+)
    };
}

const BACK: &str = changes!("WHERE workspace = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3");
const ON: &str = changes!("WHERE workspace = ?1 AND number > ?2 ORDER BY number LIMIT ?3");

const BACK_OF_TODO: &str = changes!(
    "INDEXED BY changes_by_todo \
     WHERE workspace = ?1 AND todo = ?4 AND number < ?2 ORDER BY number DESC LIMIT ?3"
);
const ON_OF_TODO: &str = changes!(
    "INDEXED BY changes_by_todo \
     WHERE workspace = ?1 AND todo = ?4 AND number > ?2 ORDER BY number LIMIT ?3"
);

/// Among the changes of the todo, not among all deletions.
const BACK_DELETIONS_OF_TODO: &str = changes!(
    "INDEXED BY changes_by_todo \
     WHERE workspace = ?1 AND todo = ?4 AND action = 3 AND number < ?2 ORDER BY number DESC LIMIT ?3"
);
const ON_DELETIONS_OF_TODO: &str = changes!(
    "INDEXED BY changes_by_todo \
     WHERE workspace = ?1 AND todo = ?4 AND action = 3 AND number > ?2 ORDER BY number LIMIT ?3"
);

const BACK_DELETIONS: &str = changes!(
    "INDEXED BY deletions \
     WHERE workspace = ?1 AND action = 3 AND number < ?2 ORDER BY number DESC LIMIT ?3"
);
const ON_DELETIONS: &str = changes!(
    "INDEXED BY deletions \
     WHERE workspace = ?1 AND action = 3 AND number > ?2 ORDER BY number LIMIT ?3"
);

const FIND: &str = changes!("WHERE workspace = ?1 AND number = ?2");

/// The changes of a call follow each other: of the `?3` that one makes at most, those of this call.
const FIND_BATCH: &str = changes!(
    "WHERE workspace = ?1 AND number >= ?2 AND number < ?2 + ?3 AND batch = ?2 ORDER BY number"
);

/// After the key of the last change that was read, along the primary key.
const PAGE: &str =
    changes!(workspace, "WHERE (workspace, number) > (?1, ?2) ORDER BY workspace, number LIMIT ?3");

const COUNT: &str = "SELECT count(*) FROM changes";

const HAS_CHANGES: &str = "SELECT EXISTS (SELECT 1 FROM changes WHERE workspace = ?1)";

const MARK_UNDONE: &str = "UPDATE changes SET undone_by = ?3 WHERE workspace = ?1 AND number = ?2";

const OLDEST: &str = "\
    SELECT number, at, bytes, action = 3 AND undone_by IS NULL FROM changes \
    WHERE workspace = ?1 ORDER BY number LIMIT ?2";

const FORGET: &str = "DELETE FROM changes WHERE workspace = ?1 AND number <= ?2";

const NEXT_WORKSPACES: &str = "\
    SELECT workspace FROM heads WHERE workspace > ?1 ORDER BY workspace LIMIT ?2";

/// The changes that another one belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Belongs {
    /// The first change of the same call.
    pub(super) batch: Option<ChangeNumber>,
    /// The one that it takes back.
    pub(super) undoes: Option<ChangeNumber>,
}

/// Counts a write in the head, and adds its change if it is to be remembered.
pub(super) fn remember(
    connection: &Connection,
    workspace: &WorkspaceId,
    head: &mut StoredHead,
    change: Option<&Change>,
    belongs: Belongs,
) -> rusqlite::Result<()> {
    let number = head.change(|head| head.count(change));
    if let Some(undone) = belongs.undoes {
        let key = params![workspace.as_str(), undone.as_i64(), number.as_i64()];
        let mut undo = connection.prepare_cached(UNDO)?;
        let action: Option<i64> = undo.query_row(key, |row| row.get(0)).optional()?;
        if action == Some(ChangeAction::Deleted.code()) {
            head.change(Head::undo_deletion);
        }
    }
    change.map_or(Ok(()), |change| add(connection, workspace, number, change, belongs))
}

fn add(
    connection: &Connection,
    workspace: &WorkspaceId,
    number: ChangeNumber,
    change: &Change,
    belongs: Belongs,
) -> rusqlite::Result<()> {
    let Change { at, by: Author { subject, organization, client }, todo, title, version, kind } =
        change;
    let Columns { before, after } = Columns::of(kind);
    let mut remember = connection.prepare_cached(REMEMBER)?;
    remember.execute(params![
        workspace.as_str(),
        number.as_i64(),
        at.as_unix_millis(),
        change.action().code(),
        todo.as_uuid().as_bytes(),
        title.as_str(),
        version.as_i64(),
        subject.as_str(),
        organization.as_ref().map(Organization::as_str),
        client.as_ref().map(ClientId::as_str),
        before,
        after,
        change.bytes().cast_signed(),
        belongs.batch.map(ChangeNumber::as_i64),
        belongs.undoes.map(ChangeNumber::as_i64),
    ])?;
    Ok(())
}

/// Changes, and the head at the same moment.
pub(super) fn part(
    connection: &Connection,
    workspace: &WorkspaceId,
    span: &Span,
) -> Result<HistoryPart, StorageError> {
    let _snapshot = connection.unchecked_transaction().map_err(failure)?;
    let head = heads::find(connection, workspace).map_err(failure)?;
    let Span { direction, todo, deletions, limit } = *span;
    let (place, back) = match direction {
        Direction::Back(before) => (before.map_or(i64::MAX, ChangeNumber::as_i64), true),
        Direction::On(after) => (after.as_i64(), false),
    };
    let (key, limit) = (workspace.as_str(), i64::try_from(limit).unwrap_or(i64::MAX));
    let sql = match (todo.is_some(), deletions, back) {
        (false, false, true) => BACK,
        (false, false, false) => ON,
        (false, true, true) => BACK_DELETIONS,
        (false, true, false) => ON_DELETIONS,
        (true, false, true) => BACK_OF_TODO,
        (true, false, false) => ON_OF_TODO,
        (true, true, true) => BACK_DELETIONS_OF_TODO,
        (true, true, false) => ON_DELETIONS_OF_TODO,
    };
    let changes = match todo {
        Some(todo) => {
            let of_todo = params![key, place, limit, todo.as_uuid().as_bytes()];
            select(connection, sql, of_todo)?
        }
        None => select(connection, sql, params![key, place, limit])?,
    };
    Ok(HistoryPart { changes, latest: head.latest, forgotten: head.forgotten })
}

pub(super) fn find(
    connection: &Connection,
    workspace: &WorkspaceId,
    changes: ChangeRef,
) -> Result<Vec<Recorded>, StorageError> {
    let key = workspace.as_str();
    match changes {
        ChangeRef::One(number) => select(connection, FIND, params![key, number.as_i64()]),
        ChangeRef::Batch(first) => {
            let most = i64::try_from(MAX_CHANGES).unwrap_or(i64::MAX);
            select(connection, FIND_BATCH, params![key, first.as_i64(), most])
        }
    }
}

/// The number of changes in all workspaces.
pub(super) fn count(connection: &Connection) -> Result<u64, StorageError> {
    let count = connection.query_row(COUNT, [], |row| row.get::<_, i64>(0)).map_err(failure)?;
    Ok(count.unsigned_abs())
}

/// The changes of all workspaces after one of them, or the first ones, with their workspaces.
pub(super) fn page(
    connection: &Connection,
    after: Option<&(WorkspaceId, ChangeNumber)>,
    limit: usize,
) -> Result<Vec<(WorkspaceId, Recorded)>, StorageError> {
    // No workspace key is empty: every change sorts after this.
    let (workspace, number) =
        after.map_or(("", 0), |(workspace, number)| (workspace.as_str(), number.as_i64()));
    let page = params![workspace, number, i64::try_from(limit).unwrap_or(i64::MAX)];
    let workspace = |row: &Row<'_>| -> Result<_, BoxError> {
        Ok(WorkspaceId::try_from(row.get_ref(14)?.as_str()?)?)
    };
    rows(connection, PAGE, page, |row| Ok((workspace(row)?, read(row)?)))
}

/// Adds a part of a history that was remembered elsewhere.
pub(super) fn load(
    connection: &Connection,
    heads: &mut Heads<'_>,
    item: &HistoryItem,
) -> Result<Loaded, StorageError> {
    let head = heads.of(item.workspace()).map_err(failure)?;
    let key = item.workspace().as_str();
    match item {
        HistoryItem::Head { workspace: _, latest, forgotten } => {
            let mut has_changes = connection.prepare_cached(HAS_CHANGES).map_err(failure)?;
            let has_changes = has_changes.query_row([key], |row| row.get(0)).map_err(failure)?;
            Ok(head.change(|head| head.adopt(*latest, *forgotten, has_changes)))
        }
        HistoryItem::Change { workspace, recorded } => {
            let Recorded { number, change, batch, undoes, undone_by } = recorded;
            if let Some(stored) = find(connection, workspace, ChangeRef::One(*number))?.first() {
                return Ok(if stored == recorded { Loaded::Same } else { Loaded::Different });
            }
            let belongs = Belongs { batch: *batch, undoes: *undoes };
            add(connection, workspace, *number, change, belongs).map_err(failure)?;
            if let Some(by) = undone_by {
                let undone = params![key, number.as_i64(), by.as_i64()];
                let mut mark = connection.prepare_cached(MARK_UNDONE).map_err(failure)?;
                mark.execute(undone).map_err(failure)?;
            }
            head.change(|head| head.add_change(recorded));
            Ok(Loaded::Added)
        }
    }
}

/// The workspaces after this one, and whether each has changes that were made before an instant.
pub(super) fn to_be_forgotten(
    connection: &Connection,
    until: Instant,
    after: Option<&WorkspaceId>,
    limit: i64,
) -> Result<Vec<(WorkspaceId, bool)>, StorageError> {
    let after = after.map_or("", WorkspaceId::as_str);
    let mut next = connection.prepare_cached(NEXT_WORKSPACES).map_err(failure)?;
    let mut oldest = connection.prepare_cached(OLDEST).map_err(failure)?;
    let keys = next.query_map(params![after, limit], |row| row.get::<_, String>(0));
    let keys: Vec<String> = keys.and_then(Iterator::collect).map_err(failure)?;
    let found = keys.into_iter().map(|key| {
        let at: Option<i64> =
            oldest.query_row(params![key, 1], |row| row.get(1)).optional().map_err(failure)?;
        let is_old = at.is_some_and(|at| at < until.as_unix_millis());
        let workspace = WorkspaceId::try_from(key.as_str());
        Ok((workspace.map_err(|error| failure(unreadable(0, error.into())))?, is_old))
    });
    found.collect()
}

/// Removes the oldest changes that were made before an instant, and returns how many.
pub(super) fn forget(
    connection: &Connection,
    workspace: &WorkspaceId,
    head: &mut StoredHead,
    until: Instant,
    limit: usize,
) -> rusqlite::Result<u64> {
    let mut oldest = connection.prepare_cached(OLDEST)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = oldest.query(params![workspace.as_str(), limit])?;
    let (mut last, mut count, mut bytes, mut deletions) = (None, 0, 0, 0);
    while let Some(row) = rows.next()? {
        if row.get::<_, i64>(1)? >= until.as_unix_millis() {
            break;
        }
        last = ChangeNumber::new(row.get(0)?);
        count += 1;
        bytes += row.get::<_, i64>(2)?.unsigned_abs();
        deletions += u64::from(row.get::<_, bool>(3)?);
    }
    if let Some(last) = last {
        let key = params![workspace.as_str(), last.as_i64()];
        connection.prepare_cached(FORGET)?.execute(key)?;
        head.change(|head| head.forget(last, bytes, deletions));
    }
    Ok(count)
}

/// Removes all of a workspace.
pub(super) fn erase(connection: &Connection, workspace: &WorkspaceId) -> rusqlite::Result<Erased> {
    let remove = |sql| connection.execute(sql, [workspace.as_str()]).map(|rows| rows as u64);
    remove("DELETE FROM terms WHERE workspace = ?1")?;
    remove("DELETE FROM creations WHERE workspace = ?1")?;
    remove("DELETE FROM heads WHERE workspace = ?1")?;
    let todos = remove("DELETE FROM todos WHERE workspace = ?1")?;
    let changes = remove("DELETE FROM changes WHERE workspace = ?1")?;
    Ok(Erased { todos, changes })
}

/// Adds a baseline for each todo of a database in which no changes were remembered. A todo that cannot be read
/// has none.
pub(super) fn add_baseline(connection: &Connection) -> rusqlite::Result<()> {
    let now = "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)";
    let now = Instant::from_unix_millis(connection.query_row(now, [], |row| row.get(0))?);
    let now = now.map_err(|error| unreadable(0, error.into()))?;
    let mut todos = connection.prepare(select!(workspace, "ORDER BY workspace, id"))?;
    let mut rows = todos.query([])?;
    let mut last: Option<(WorkspaceId, ChangeNumber, u64)> = None;
    while let Some(row) = rows.next()? {
        let Ok(todo) = row::read_any(row) else { continue };
        let change = Change::baseline(&todo, now);
        let (number, bytes) = match &last {
            Some((workspace, number, bytes)) if workspace == todo.workspace() => (*number, *bytes),
            _ => {
                count_baseline(connection, last.as_ref())?;
                (ChangeNumber::ZERO, 0)
            }
        };
        let number = number.plus(1);
        add(connection, todo.workspace(), number, &change, Belongs::default())?;
        last = Some((todo.workspace().clone(), number, bytes + change.bytes()));
    }
    count_baseline(connection, last.as_ref())
}

fn count_baseline(
    connection: &Connection,
    baseline: Option<&(WorkspaceId, ChangeNumber, u64)>,
) -> rusqlite::Result<()> {
    const COUNT: &str = "\
        UPDATE heads SET history_bytes = ?2, latest = max(latest, ?3) WHERE workspace = ?1";
    let Some((workspace, number, bytes)) = baseline else { return Ok(()) };
    let count = params![workspace.as_str(), bytes.cast_signed(), number.as_i64()];
    connection.prepare_cached(COUNT)?.execute(count).map(drop)
}

/// Remembers that a todo was imported.
pub(super) fn remember_import(
    connection: &Connection,
    head: &mut StoredHead,
    todo: &Todo,
    at: Option<Instant>,
) -> rusqlite::Result<()> {
    let change = at.map(|at| Change::baseline(todo, at));
    remember(connection, todo.workspace(), head, change.as_ref(), Belongs::default())
}

fn select(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<Recorded>, StorageError> {
    rows(connection, sql, parameters, read)
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, BoxError>,
) -> Result<Vec<T>, StorageError> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    let mut rows = statement.query(parameters).map_err(failure)?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next().map_err(failure)? {
        changes.push(read(row).map_err(|source| StorageError::Corrupt {
            id: row.get(0).map_or_else(|_| "?".to_owned(), |it: i64| format!("(change {it})")),
            source,
        })?);
    }
    Ok(changes)
}

fn read(row: &Row<'_>) -> Result<Recorded, BoxError> {
    let text = |column| row.get_ref(column)?.as_str_or_null().map_err(BoxError::from);
    let number = |column| -> Result<Option<ChangeNumber>, BoxError> {
        Ok(row.get::<_, Option<i64>>(column)?.and_then(ChangeNumber::new))
    };
    let title = Title::restore(text(4)?.ok_or(Missing)?)?;
    let action = ChangeAction::from_code(row.get(2)?)?;
    let change = Change {
        at: Instant::from_unix_millis(row.get(1)?)?,
        by: Author {
            subject: Subject::restore(text(6)?.ok_or(Missing)?)?,
            organization: text(7)?.map(Organization::try_from).transpose()?,
            client: text(8)?.map(ClientId::try_from).transpose()?,
        },
        todo: TodoId::from_bytes(row.get(3)?),
        version: Version::try_from(row.get::<_, i64>(5)?)?,
        kind: history::kind(action, &title, text(9)?, text(10)?)?,
        title,
    };
    Ok(Recorded {
        number: number(0)?.ok_or(Missing)?,
        change,
        batch: number(11)?,
        undoes: number(12)?,
        undone_by: number(13)?,
    })
}

#[derive(Debug, Error)]
#[error("a value is missing")]
struct Missing;

fn unreadable(column: usize, error: BoxError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::queries::tests::plan;
    use crate::sqlite::schema;

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        for (sql, expected) in [
            (BACK, "PRIMARY KEY (workspace=? AND number<?)"),
            (ON, "PRIMARY KEY (workspace=? AND number>?)"),
            (BACK_OF_TODO, "INDEX changes_by_todo (workspace=? AND todo=? AND number<?)"),
            (ON_OF_TODO, "INDEX changes_by_todo (workspace=? AND todo=? AND number>?)"),
            (BACK_DELETIONS_OF_TODO, "INDEX changes_by_todo (workspace=? AND todo=? AND number<?)"),
            (ON_DELETIONS_OF_TODO, "INDEX changes_by_todo (workspace=? AND todo=? AND number>?)"),
            (BACK_DELETIONS, "INDEX deletions (workspace=? AND number<?)"),
            (ON_DELETIONS, "INDEX deletions (workspace=? AND number>?)"),
            (FIND, "PRIMARY KEY (workspace=? AND number=?)"),
            (FIND_BATCH, "PRIMARY KEY (workspace=? AND number>? AND number<?)"),
            (OLDEST, "PRIMARY KEY (workspace=?)"),
            (MARK_UNDONE, "PRIMARY KEY (workspace=? AND number=?)"),
            (PAGE, "PRIMARY KEY ((workspace,number)>(?,?))"),
            (FORGET, "PRIMARY KEY (workspace=? AND number<?)"),
            (UNDO, "PRIMARY KEY (workspace=? AND number=?)"),
        ] {
            let expected = format!("SEARCH changes USING {expected}");
            assert_eq!(plan(&connection, sql), [expected], "{sql}");
        }
    }
}
