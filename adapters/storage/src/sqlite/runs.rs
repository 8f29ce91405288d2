//! Merging runs of todos that are each in the same order.

use std::collections::VecDeque;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{CachedStatement, Connection, Row, Rows, params};
use todo_application::domain::{Order, Place, Sort, Todo, TodoId, WorkspaceId};
use todo_application::ports::StorageError;

use super::failure::failure;
use super::row::{self, select};

/// Fresh todos before an id, backwards.
const FRESH_BEFORE: &str = select!(
    "INDEXED BY fresh_todos WHERE workspace = ?1 AND id < ?2 AND fresh = 1 ORDER BY id DESC"
);

/// Fresh todos between two ids.
const FRESH_BETWEEN: &str = select!(
    "INDEXED BY fresh_todos \
     WHERE workspace = ?1 AND id > ?2 AND id < ?3 AND fresh = 1 ORDER BY id LIMIT ?4"
);

/// Todos that a statement returns in the order of a list.
pub(super) struct Run {
    sql: &'static str,
    /// The number that all of them have; `None` if it is the last column.
    number: Option<i64>,
    after: (i64, Option<TodoId>),
}

impl Run {
    /// After a place.
    pub(super) fn after(sql: &'static str, Place { key, id }: Place) -> Self {
        Self { sql, number: None, after: (key, Some(id)) }
    }

    /// Todos with the same number after an id, or from the first.
    pub(super) fn of_one_number(sql: &'static str, number: i64, after: Option<TodoId>) -> Self {
        Self { sql, number: Some(number), after: (number, after) }
    }
}

/// Appends the first todos of all runs, until there are as many as the limit. With `fresh_after`, the fresh todos
/// after that place in [`Order::Updated`] are one more run.
pub(super) fn merge(
    connection: &Connection,
    workspace: &WorkspaceId,
    runs: &[Run],
    fresh_after: Option<Place>,
    limit: usize,
    todos: &mut Vec<Todo>,
) -> Result<(), StorageError> {
    let rows = i64::try_from(limit.saturating_sub(todos.len())).unwrap_or(i64::MAX);
    let prepare = |sql| connection.prepare_cached(sql).map_err(failure);
    let mut statements = runs.iter().map(|run| prepare(run.sql)).collect::<Result<Vec<_>, _>>()?;
    let mut before = fresh_after.map(|_| prepare(FRESH_BEFORE)).transpose()?;

    let mut sources = Vec::with_capacity(runs.len() + 1);
    for (run, statement) in runs.iter().zip(&mut statements) {
        let (number, id) = &run.after;
        let after = params![workspace.as_str(), number, id_or_first(id.as_ref()), rows];
        let mut rows = statement.query(after).map_err(failure)?;
        rows.advance().map_err(failure)?;
        sources.push(Source::Rows { rows, number: run.number });
    }
    if let Some((statement, after)) = before.as_mut().zip(fresh_after) {
        sources.push(Source::Fresh(Fresh::after(connection, workspace, statement, after, rows)?));
    }
    let mut next = Vec::with_capacity(sources.len());
    for mut source in sources {
        if let Some(place) = source.place()? {
            next.push((place, source));
        }
    }
    while todos.len() < limit {
        let Some(first) = (0..next.len()).min_by_key(|index| next[*index].0) else { break };
        let (place, source) = &mut next[first];
        let todo = source.take(workspace, todos.last())?;
        todos.extend(todo);
        if todos.len() >= limit {
            break;
        }
        match source.place()? {
            Some(after) => *place = after,
            None => drop(next.swap_remove(first)),
        }
        // The rest of a single run needs no comparison.
        if let [(_, source)] = next.as_mut_slice() {
            while todos.len() < limit
                && let Some(todo) = source.take(workspace, todos.last())?
            {
                todos.push(todo);
            }
            break;
        }
    }
    Ok(())
}

/// The empty blob sorts before every id.
fn id_or_first(id: Option<&TodoId>) -> &[u8] {
    id.map_or(&[], |id| id.as_uuid().as_bytes())
}

/// A run that is being read.
enum Source<'a> {
    Rows { rows: Rows<'a>, number: Option<i64> },
    Fresh(Fresh<'a>),
}

impl Source<'_> {
    /// Of the todo that is next.
    fn place(&mut self) -> Result<Option<Place>, StorageError> {
        let (rows, number) = match self {
            Self::Rows { rows, number } => (rows, number),
            Self::Fresh(fresh) => return fresh.place(),
        };
        let Some(row) = rows.get() else { return Ok(None) };
        let key = number.map_or_else(|| row.get(LAST_COLUMN), Ok).map_err(failure)?;
        Ok(Some(Place { key, id: TodoId::from_bytes(id(row)) }))
    }

    /// Shares texts with the `last` todo that was read.
    fn take(
        &mut self,
        workspace: &WorkspaceId,
        last: Option<&Todo>,
    ) -> Result<Option<Todo>, StorageError> {
        match self {
            Self::Rows { rows, number: _ } => {
                let todo = rows.get().map(|row| row::read(row, workspace, last)).transpose()?;
                rows.advance().map_err(failure)?;
                Ok(todo)
            }
            Self::Fresh(fresh) => fresh.take(),
        }
    }
}

/// The number after the columns of a todo.
const LAST_COLUMN: usize = 13;

/// For comparisons: if it is not an id, the todo cannot be read when its turn comes.
fn id(row: &Row<'_>) -> [u8; 16] {
    let mut id = [0; 16];
    let stored = row.get_ref(0).ok().and_then(|value| value.as_blob().ok());
    for (to, from) in id.iter_mut().zip(stored.unwrap_or_default()) {
        *to = *from;
    }
    id
}

/// Fresh todos in [`Order::Updated`].
///
/// That is the order of their ids backwards, but for those of one millisecond, which are in the order of their ids.
struct Fresh<'a> {
    connection: &'a Connection,
    workspace: &'a WorkspaceId,
    /// Backwards, from the first that is not among the `next`.
    rows: Rows<'a>,
    /// The most todos that are wanted.
    limit: i64,
    /// What is left of a millisecond.
    next: VecDeque<Todo>,
}

impl<'a> Fresh<'a> {
    fn after(
        connection: &'a Connection,
        workspace: &'a WorkspaceId,
        statement: &'a mut CachedStatement<'_>,
        after: Place,
        limit: i64,
    ) -> Result<Self, StorageError> {
        // At the start of the list there is no such instant.
        let at = after.key.checked_neg().unwrap_or(i64::MAX);
        let before = params![workspace.as_str(), first_id(at)];
        let mut rows = statement.query(before).map_err(failure)?;
        rows.advance().map_err(failure)?;
        let mut fresh = Self { connection, workspace, rows, limit, next: VecDeque::new() };
        if at < i64::MAX {
            let id = id_or_first(Some(&after.id)).to_vec();
            fresh.next = fresh.of_millisecond(at, &first_id(at).max(id))?;
        }
        Ok(fresh)
    }

    fn place(&mut self) -> Result<Option<Place>, StorageError> {
        self.fill()?;
        Ok(self.next.front().map(|todo| Sort::By(Order::Updated).place(todo)))
    }

    fn take(&mut self) -> Result<Option<Todo>, StorageError> {
        self.fill()?;
        Ok(self.next.pop_front())
    }

    /// Reads the next millisecond, unless something is left.
    fn fill(&mut self) -> Result<(), StorageError> {
        let Some(first) = self.rows.get().filter(|_| self.next.is_empty()).map(id) else {
            return Ok(());
        };
        while let Some(row) = self.rows.get()
            && id(row)[..MILLIS] == first[..MILLIS]
        {
            self.next.push_front(row::read(row, self.workspace, self.next.front())?);
            if i64::try_from(self.next.len()).is_ok_and(|read| read > self.limit) {
                // However many there are. The page ends among them.
                let at = self.next.front().map_or(0, |todo| todo.updated_at().as_unix_millis());
                self.next = self.of_millisecond(at, &first_id(at))?;
                return Ok(());
            }
            self.rows.advance().map_err(failure)?;
        }
        Ok(())
    }

    fn of_millisecond(&self, at: i64, after: &[u8]) -> Result<VecDeque<Todo>, StorageError> {
        let mut between = self.connection.prepare_cached(FRESH_BETWEEN).map_err(failure)?;
        let end = first_id(at.saturating_add(1));
        let between_ids = params![self.workspace.as_str(), after, end, self.limit];
        let mut rows = between.query(between_ids).map_err(failure)?;
        let mut todos = VecDeque::new();
        while let Some(row) = rows.next().map_err(failure)? {
            todos.push_back(row::read(row, self.workspace, todos.back())?);
        }
        Ok(todos)
    }
}

/// The bytes of an id that hold its instant.
const MILLIS: usize = 6;

/// Before all ids of a millisecond, and after those of the one before.
fn first_id(millis: i64) -> Vec<u8> {
    let Ok(millis) = u64::try_from(millis) else { return vec![] };
    let bytes = millis.to_be_bytes();
    match bytes.split_at(bytes.len() - MILLIS) {
        ([0, 0], millis) => millis.to_vec(),
        _ => vec![0xff; 17],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::queries::tests::assert_searches;

    #[test]
    fn every_query_seeks_in_an_index_and_sorts_nothing() {
        let searches = [
            (FRESH_BEFORE, "COVERING INDEX fresh_todos (workspace=? AND id<?)"),
            (FRESH_BETWEEN, "COVERING INDEX fresh_todos (workspace=? AND id>? AND id<?)"),
        ];
        assert_searches("todos", &searches);
    }
}
