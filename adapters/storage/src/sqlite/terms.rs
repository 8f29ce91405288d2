//! The terms of todos: a row for each term of each todo, changed in the transaction of each write.

use std::array;
use std::sync::LazyLock;

use rusqlite::{Connection, Rows, params, params_from_iter};
use todo_application::domain::{Term, TermChange, TermRange, Todo, TodoId, WorkspaceId};
use todo_application::ports::{IdsByTerm, StorageError};

use super::failure::failure;
use super::many_rows::ManyRows;
use super::row::{self, blob, select, text};

// They may be there already: a row that cannot be read has left its terms behind.
macro_rules! insert {
    () => {
        "INSERT OR IGNORE INTO terms (workspace, term, id)"
    };
}

/// Statements that add one term of a todo, two, and so on: to begin a statement and to end it takes as long as to add
/// a term.
static ADD: LazyLock<[String; 8]> = LazyLock::new(|| {
    array::from_fn(|more| {
        let rows: Vec<_> = (0..=more).map(|row| format!("(?1, ?{}, ?2)", row + 3)).collect();
        format!("{} VALUES {}", insert!(), rows.join(", "))
    })
});

/// All in one workspace.
static ADD_MANY: LazyLock<ManyRows<3>> = LazyLock::new(|| ManyRows::new(insert!(), 1, ""));

const REMOVE: &str = "DELETE FROM terms WHERE workspace = ?1 AND term = ?2 AND id = ?3";

macro_rules! ids {
    ($($rest:literal)?) => {
        concat!("SELECT id FROM terms WHERE workspace = ?1 AND term = ?2 AND id > ?3", $($rest,)? " ORDER BY id")
    };
}

const IDS: &str = concat!(ids!(" AND id <= ?4"), " LIMIT ?5");

/// Statements that are read at the same time. A connection keeps one of each text.
static TOGETHER: LazyLock<[String; 16]> =
    LazyLock::new(|| array::from_fn(|number| format!("{} /* {number} */", ids!())));

/// A seek for each term, however many todos have it.
const TERMS: &str = "\
    WITH RECURSIVE found (term) AS ( \
        SELECT min(term) FROM terms WHERE workspace = ?1 AND term BETWEEN ?2 AND ?3 \
        UNION ALL \
        SELECT (SELECT min(term) FROM terms \
                WHERE workspace = ?1 AND term > found.term AND term <= ?3) \
        FROM found WHERE found.term IS NOT NULL) \
    SELECT term FROM found WHERE term IS NOT NULL LIMIT ?4";

const ALL_TODOS: &str = select!(workspace, "ORDER BY workspace, id");

pub(super) fn change(
    connection: &Connection,
    workspace: &WorkspaceId,
    id: TodoId,
    TermChange { removed, added }: &TermChange,
) -> rusqlite::Result<()> {
    let (workspace, id) = (workspace.as_str(), id.as_uuid().as_bytes());
    if !removed.is_empty() {
        let mut remove = connection.prepare_cached(REMOVE)?;
        for term in removed {
            remove.execute(params![workspace, term.as_str(), id])?;
        }
    }
    for terms in added.chunks(ADD.len()) {
        let mut add = connection.prepare_cached(&ADD[terms.len() - 1])?;
        let terms = terms.iter().map(|term| text(term.as_str()));
        add.execute(params_from_iter([text(workspace), blob(id)].into_iter().chain(terms)))?;
    }
    Ok(())
}

/// Adds terms of many todos, which are sorted for that.
pub(super) fn add_many(
    connection: &Connection,
    workspace: &WorkspaceId,
    terms: &mut [(&Term, TodoId)],
) -> rusqlite::Result<()> {
    terms.sort_unstable();
    let added = ADD_MANY.add(connection, terms, |(term, id)| {
        [text(workspace.as_str()), text(term.as_str()), blob(id.as_uuid().as_bytes())]
    });
    added.map(drop)
}

pub(super) fn ids(
    connection: &Connection,
    workspace: &WorkspaceId,
    ranges: &[TermRange],
    after: Option<TodoId>,
    limit: usize,
) -> Result<Option<IdsByTerm>, StorageError> {
    // A todo whose term changes within the ranges is found by the one or by the other.
    let _snapshot = connection.unchecked_transaction().map_err(failure)?;
    let mut terms = Vec::new();
    for range in ranges {
        let limit = IdsByTerm::MAX_TERMS + 1 - terms.len();
        terms.append(&mut find(connection, workspace, range, limit)?);
        if terms.len() > IdsByTerm::MAX_TERMS {
            return Ok(None);
        }
    }
    if terms.len() <= TOGETHER.len() {
        let first = first_ids(connection, workspace, &terms, after, limit).map_err(failure)?;
        return Ok(Some(IdsByTerm::merge([first], limit)));
    }
    let mut ids = connection.prepare_cached(IDS).map_err(failure)?;
    let mut of_term = |term: &Term, after: Option<TodoId>, last: TodoId, limit: usize| {
        // The empty blob sorts before every id.
        let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_uuid().as_bytes());
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let last = last.as_uuid().as_bytes();
        let of_term = params![workspace.as_str(), term.as_str(), after, last, rows];
        let ids = ids.query_map(of_term, |row| row.get(0).map(TodoId::from_bytes));
        ids.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).map_err(failure)
    };
    let share = IdsByTerm::first_of_each(limit, terms.len());
    let first_ids = terms.iter().map(|term| of_term(term, after, LARGEST, share));
    let mut found = first_ids.collect::<Result<Vec<_>, _>>()?;
    let last = IdsByTerm::merge(found.clone(), limit).through.unwrap_or(LARGEST);
    for (term, ids) in terms.iter().zip(&mut found) {
        let reached = ids.last().copied();
        if share < limit && ids.len() >= share && reached.is_some_and(|it| it < last) {
            ids.append(&mut of_term(term, reached, last, limit - share)?);
        }
    }
    Ok(Some(IdsByTerm::merge(found, limit)))
}

/// The first `limit` ids of a few terms, which are read no further than that.
fn first_ids(
    connection: &Connection,
    workspace: &WorkspaceId,
    terms: &[Term],
    after: Option<TodoId>,
    limit: usize,
) -> rusqlite::Result<Vec<TodoId>> {
    let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_uuid().as_bytes());
    let statements = TOGETHER.iter().zip(terms).map(|(sql, _)| connection.prepare_cached(sql));
    let mut statements = statements.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut all = Vec::with_capacity(terms.len());
    for (statement, term) in statements.iter_mut().zip(terms) {
        let mut rows = statement.query(params![workspace.as_str(), term.as_str(), after])?;
        let first = next_id(&mut rows)?;
        all.extend(first.map(|id| (id, rows)));
    }
    let mut ids = Vec::with_capacity(limit);
    while ids.len() < limit {
        let Some(place) = (0..all.len()).min_by_key(|place| all[*place].0) else { break };
        let (id, rows) = &mut all[place];
        ids.push(*id);
        match next_id(rows)? {
            Some(next) => *id = next,
            None => drop(all.swap_remove(place)),
        }
    }
    Ok(ids)
}

fn next_id(rows: &mut Rows<'_>) -> rusqlite::Result<Option<TodoId>> {
    rows.next()?.map(|row| row.get(0).map(TodoId::from_bytes)).transpose()
}

const LARGEST: TodoId = TodoId::from_bytes([0xff; 16]);

/// The first terms of a range.
pub(super) fn find(
    connection: &Connection,
    workspace: &WorkspaceId,
    range: &TermRange,
    limit: usize,
) -> Result<Vec<Term>, StorageError> {
    let (first, last) = (range.first().as_str(), range.last().as_str());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut terms = connection.prepare_cached(TERMS).map_err(failure)?;
    let range = params![workspace.as_str(), first, last, limit];
    let terms = terms.query_map(range, |row| Ok(Term::from(row.get_ref(0)?.as_str()?)));
    terms.and_then(Iterator::collect).map_err(failure)
}

/// Adds some terms of all todos, which they do not have. One that cannot be read has none.
pub(super) fn add_all(
    connection: &Connection,
    terms_of: fn(&Todo) -> Vec<Term>,
) -> rusqlite::Result<()> {
    // Sorted at once: in a long list, each term would otherwise change another page.
    connection.execute_batch(
        "CREATE TEMP TABLE unsorted (workspace TEXT NOT NULL, term TEXT NOT NULL, id BLOB NOT NULL)",
    )?;
    {
        let mut add = connection.prepare("INSERT INTO unsorted VALUES (?1, ?2, ?3)")?;
        let mut todos = connection.prepare(ALL_TODOS)?;
        let mut rows = todos.query([])?;
        while let Some(row) = rows.next()? {
            let Ok(todo) = row::read_any(row) else { continue };
            let (workspace, id) = (todo.workspace().as_str(), todo.id());
            for term in terms_of(&todo) {
                add.execute(params![workspace, term.as_str(), id.as_uuid().as_bytes()])?;
            }
        }
    }
    connection.execute_batch(
        "INSERT INTO terms SELECT workspace, term, id FROM unsorted ORDER BY workspace, term, id;
         DROP TABLE unsorted",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::queries::tests::plan;
    use crate::sqlite::schema;

    #[test]
    fn every_statement_seeks_in_the_primary_key() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, 0).unwrap();
        for (sql, expected) in [
            (REMOVE, "SEARCH terms USING PRIMARY KEY (workspace=? AND term=? AND id=?)"),
            (IDS, "SEARCH terms USING PRIMARY KEY (workspace=? AND term=? AND id>? AND id<?)"),
            (&TOGETHER[7], "SEARCH terms USING PRIMARY KEY (workspace=? AND term=? AND id>?)"),
        ] {
            assert_eq!(plan(&connection, sql), [expected], "{sql}");
        }
        let terms = plan(&connection, TERMS);
        let reads: Vec<_> = terms.iter().filter(|step| step.contains(" terms ")).collect();
        assert_eq!(reads.len(), 2, "{terms:?}");
        for read in reads {
            let seek = "SEARCH terms USING PRIMARY KEY (workspace=? AND term>? AND term<?)";
            assert_eq!(read, seek, "{terms:?}");
        }
    }
}
