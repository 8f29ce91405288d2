//! Lists of open and of done todos, and lists in an order.
//!
//! The todos of a list are in several indexes, each of which has a run of them in the order of the list; the runs are
//! [merged](super::runs) as they are read. So a page reads neighbours, and yet a todo is not in an index for each order:
//! one that is [fresh](super::row::values) is in a single one.

use rusqlite::Connection;
use todo_application::domain::{Order, Place, Priority, Todo, TodoId, WorkspaceId};
use todo_application::ports::{Filter, StorageError};

use super::failure::failure;
use super::row::select;
use super::runs::{Run, merge};

/// All statements have the same parameters: workspace, number and id of the place after which they read, and the most
/// rows. A list may read several at once, so what differs between them is in their text.
const FRESH: &str = select!(
    "INDEXED BY fresh_todos WHERE workspace = ?1 AND id > ?3 AND fresh = 1 ORDER BY id LIMIT ?4"
);

/// The open todos and the done ones of an index, in the order of ids.
macro_rules! by_id {
    ($index:literal, $condition:literal) => {
        [by_id!(@ $index, "0", $condition), by_id!(@ $index, "1", $condition)]
    };
    (@ $index:literal, $done:literal, $condition:literal) => {
        select!(
            "INDEXED BY ",
            $index,
            " WHERE workspace = ?1 AND done = ",
            $done,
            " AND ",
            $condition,
            " AND id > ?3 ORDER BY id LIMIT ?4"
        )
    };
}

/// The same in the order of a number.
macro_rules! by_number {
    ($index:literal, $number:literal, $condition:literal) => {
        [
            by_number!(@ $index, $number, "0", $condition),
            by_number!(@ $index, $number, "1", $condition),
        ]
    };
    (@ $index:literal, $number:literal, $done:literal, $condition:literal) => {
        select!(
            number $number,
            "INDEXED BY ",
            $index,
            " WHERE workspace = ?1 AND done = ",
            $done,
            " AND ",
            $condition,
            " AND (",
            $number,
            ", id) > (?2, ?3) ORDER BY ",
            $number,
            ", id LIMIT ?4"
        )
    };
}

const PLAIN: [&str; 2] = by_id!("plain_todos", "fresh = 0 AND due IS NULL AND priority = 1");
const OTHER: [&str; 2] = by_id!("other_todos", "(due IS NOT NULL OR priority <> 1)");
const BY_PRIORITY: [&str; 2] =
    by_number!("other_todos_by_priority", "by_priority", "(due IS NOT NULL OR priority <> 1)");
const BY_DUE: [&str; 2] = by_number!("due_todos", "by_due", "due IS NOT NULL");
const BY_UPDATE: [&str; 2] = by_number!("changed_todos", "by_update", "fresh = 0");

/// What is urgent, of high and of low priority and not due, by its number in [`Order::Priority`].
const NOT_DUE: [[&str; 2]; 3] = [
    by_id!(
        "other_todos_by_priority",
        "(due IS NOT NULL OR priority <> 1) AND by_priority = 1000000000000000"
    ),
    by_id!(
        "other_todos_by_priority",
        "(due IS NOT NULL OR priority <> 1) AND by_priority = 11000000000000000"
    ),
    by_id!(
        "other_todos_by_priority",
        "(due IS NOT NULL OR priority <> 1) AND by_priority = 31000000000000000"
    ),
];

/// The open todos or the done ones, in the order of creation.
pub(super) fn list(
    connection: &Connection,
    workspace: &WorkspaceId,
    done: bool,
    after: Option<TodoId>,
    limit: usize,
) -> Result<Vec<Todo>, StorageError> {
    let _snapshot = connection.unchecked_transaction().map_err(failure)?;
    let filter = Filter { completed: Some(done) };
    let mut runs = plain(filter, 0, after);
    runs.extend(of(&OTHER, filter).map(|sql| Run::of_one_number(sql, 0, after)));
    let mut todos = Vec::new();
    merge(connection, workspace, &runs, None, limit, &mut todos)?;
    Ok(todos)
}

/// In an order, after a place in it.
pub(super) fn list_by(
    connection: &Connection,
    workspace: &WorkspaceId,
    order: Order,
    filter: Filter,
    after: Place,
    limit: usize,
) -> Result<Vec<Todo>, StorageError> {
    let _snapshot = connection.unchecked_transaction().map_err(failure)?;
    let mut todos = Vec::new();
    let mut read = |runs: Vec<Run>, fresh_after| {
        merge(connection, workspace, &runs, fresh_after, limit, &mut todos)
    };
    let numbered = |statements| of(statements, filter).map(|sql| Run::after(sql, after));
    match order {
        Order::Updated => {
            let fresh_after = (filter.completed != Some(true)).then_some(after);
            read(numbered(&BY_UPDATE).collect(), fresh_after)?;
        }
        Order::Priority => {
            let normal = Order::of_priority(Priority::Normal) + Order::due(None);
            let mut runs: Vec<_> = numbered(&BY_PRIORITY).collect();
            if let Some(after) = within(after, normal) {
                runs.extend(plain(filter, normal, after));
            }
            read(runs, None)?;
        }
        Order::Due => {
            let not_due = Order::due(None);
            if after.key < not_due {
                read(numbered(&BY_DUE).collect(), None)?;
            }
            if todos.len() < limit
                && let Some(after) = within(after, not_due)
            {
                let mut runs = plain(filter, not_due, after);
                let others = NOT_DUE.iter().flat_map(|statements| of(statements, filter));
                runs.extend(others.map(|sql| Run::of_one_number(sql, not_due, after)));
                merge(connection, workspace, &runs, None, limit, &mut todos)?;
            }
        }
    }
    Ok(todos)
}

/// Those that are neither due nor of another priority than normal, and have this number.
fn plain(filter: Filter, number: i64, after: Option<TodoId>) -> Vec<Run> {
    let fresh = (filter.completed != Some(true)).then_some(FRESH);
    let statements = fresh.into_iter().chain(of(&PLAIN, filter));
    statements.map(|sql| Run::of_one_number(sql, number, after)).collect()
}

/// Of a statement for open todos and one for done ones, those that are wanted.
fn of(
    [open, done]: &[&'static str; 2],
    filter: Filter,
) -> impl Iterator<Item = &'static str> + use<> {
    let wanted = |is_done| filter.completed.is_none_or(|completed| completed == is_done);
    let statements = [wanted(false).then_some(*open), wanted(true).then_some(*done)];
    statements.into_iter().flatten()
}

/// Where a list goes on among those with this number: after an id, or with the first of them; `None` if it is past
/// them.
#[expect(clippy::option_option, reason = "whether there are any, and whether there is an id")]
fn within(after: Place, number: i64) -> Option<Option<TodoId>> {
    (after.key <= number).then(|| (after.key == number).then_some(after.id))
}

#[cfg(test)]
mod tests;
