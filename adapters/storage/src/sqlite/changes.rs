//! The changes of todos: a row for each write that is remembered, added in its transaction.

use std::sync::LazyLock;

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use todo_application::domain::{
    Author, Change, ChangeAction, ChangeNumber, Instant, Recorded, Todo, WorkspaceId,
};
use todo_application::ports::{ChangeRef, Head, HistoryItem, Loaded, StorageError};

use super::change_reads::{find, unreadable};
use super::failure::failure;
use super::heads::{Heads, StoredHead};
use super::many_rows::ManyRows;
use super::row::{self, NULL, blob, select, text};
use crate::history::Columns;

macro_rules! insert {
    () => {
        "INSERT INTO changes (workspace, at, subject, organization, client, batch, number, action, todo, \
                              title, version, before, after, bytes, undoes)"
    };
}

const REMEMBER: &str = concat!(
    insert!(),
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
);

/// All in one workspace and of one call.
static REMEMBER_MANY: LazyLock<ManyRows<15>> = LazyLock::new(|| ManyRows::new(insert!(), 6, ""));

const UNDO: &str = "\
    UPDATE changes SET undone_by = ?3 WHERE workspace = ?1 AND number = ?2 RETURNING action";

const MARK_UNDONE: &str = "UPDATE changes SET undone_by = ?3 WHERE workspace = ?1 AND number = ?2";

/// The changes that another one belongs to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Belongs {
    /// The first change of the same call.
    pub(super) batch: Option<ChangeNumber>,
    /// The one that it takes back.
    pub(super) undoes: Option<ChangeNumber>,
}

/// Counts a write in the head, and adds its change if it is to be remembered: then returns its number.
pub(super) fn remember(
    connection: &Connection,
    workspace: &WorkspaceId,
    head: &mut StoredHead,
    change: Option<&Change>,
    belongs: Belongs,
) -> rusqlite::Result<Option<ChangeNumber>> {
    let number = head.change(|head| head.count(change));
    if let Some(undone) = belongs.undoes {
        let key = params![workspace.as_str(), undone.as_i64(), number.as_i64()];
        let mut undo = connection.prepare_cached(UNDO)?;
        let action: Option<i64> = undo.query_row(key, |row| row.get(0)).optional()?;
        if action == Some(ChangeAction::Deleted.code()) {
            head.change(Head::undo_deletion);
        }
    }
    let Some(change) = change else { return Ok(None) };
    add(connection, workspace, number, change, belongs)?;
    Ok(Some(number))
}

fn add(
    connection: &Connection,
    workspace: &WorkspaceId,
    number: ChangeNumber,
    change: &Change,
    belongs: Belongs,
) -> rusqlite::Result<()> {
    let values = values(workspace, number, change, belongs);
    connection.prepare_cached(REMEMBER)?.execute(params_from_iter(values)).map(drop)
}

/// Adds the changes of one call, which take back nothing.
pub(super) fn add_many(
    connection: &Connection,
    workspace: &WorkspaceId,
    changes: &[(ChangeNumber, &Change)],
    batch: Option<ChangeNumber>,
) -> rusqlite::Result<()> {
    let belongs = Belongs { batch, undoes: None };
    // They are of one caller, made at one instant.
    let of_one_call = changes.chunk_by(|(_, a), (_, b)| (&a.by, a.at) == (&b.by, b.at));
    for changes in of_one_call {
        REMEMBER_MANY.add(connection, changes, |(number, change)| {
            values(workspace, *number, change, belongs)
        })?;
    }
    Ok(())
}

/// The columns of a change; the first six are the same in all of a call.
fn values<'a>(
    workspace: &'a WorkspaceId,
    number: ChangeNumber,
    change: &'a Change,
    Belongs { batch, undoes }: Belongs,
) -> [ToSqlOutput<'a>; 15] {
    let Change { at, by: Author { subject, organization, client }, todo, title, version, kind } =
        change;
    let Columns { before, after } = Columns::of(kind);
    let number_of = |number: ChangeNumber| number.as_i64().into();
    [
        text(workspace.as_str()),
        at.as_unix_millis().into(),
        text(subject.as_str()),
        organization.as_ref().map_or(NULL, |it| text(it.as_str())),
        client.as_ref().map_or(NULL, |it| text(it.as_str())),
        batch.map_or(NULL, number_of),
        number_of(number),
        change.action().code().into(),
        blob(todo.as_uuid().as_bytes()),
        text(title.as_str()),
        version.as_i64().into(),
        before.map_or(NULL, Into::into),
        after.map_or(NULL, Into::into),
        change.bytes().cast_signed().into(),
        undoes.map_or(NULL, number_of),
    ]
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
            Ok(head.change(|head| head.adopt(*latest, *forgotten)))
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
    remember(connection, todo.workspace(), head, change.as_ref(), Belongs::default()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::queries::tests::assert_searches;

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let searches = [
            (MARK_UNDONE, "PRIMARY KEY (workspace=? AND number=?)"),
            (UNDO, "PRIMARY KEY (workspace=? AND number=?)"),
        ];
        assert_searches("changes", &searches);
    }
}
