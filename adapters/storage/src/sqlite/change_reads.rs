//! Reading the changes of todos.

use rusqlite::types::Type;
use rusqlite::{Connection, Params, Row, params};
use thiserror::Error;
use todo_application::MAX_CHANGES;
use todo_application::domain::{
    Author, Change, ChangeAction, ChangeNumber, ClientId, Instant, Organization, Recorded, Subject,
    Title, TodoId, Version, WorkspaceId,
};
use todo_application::ports::{BoxError, ChangeRef, Direction, HistoryPart, Span, StorageError};

use super::failure::failure;
use super::heads;
use crate::history;

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

pub(super) fn unreadable(column: usize, error: BoxError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::queries::tests::assert_searches;

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let searches = [
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
            (PAGE, "PRIMARY KEY ((workspace,number)>(?,?))"),
        ];
        assert_searches("changes", &searches);
    }
}
