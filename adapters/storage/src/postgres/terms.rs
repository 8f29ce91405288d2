//! The terms of todos: a row for each term of each todo, changed in the transaction of each write.

use std::collections::BTreeMap;
use std::pin::pin;

use bytes::Bytes;
use futures_util::future::try_join_all;
use todo_application::domain::{Term, TermRange, Todo, TodoId, WorkspaceId};
use todo_application::ports::IdsByTerm;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{CopyInSink, Error, Row, Transaction};

use super::connections::Work;
use super::parameter::{Parameter, to_sql};
use super::queries::Query;
use super::row::{self, select};
use super::session::{self, Session};

pub(super) const COPY: &str = "COPY todo_terms (workspace, term, id) FROM STDIN (FORMAT binary)";

/// All todos after a key, for the migration.
const PAGE: &str =
    select!(workspace, "WHERE (workspace, id) > ($1, $2) ORDER BY workspace, id LIMIT 2000");

/// Copies the terms of todos, of which there are none yet.
pub(super) async fn copy<'a>(
    sink: CopyInSink<Bytes>,
    todos: impl Iterator<Item = &'a Todo>,
) -> Result<(), Error> {
    let rows = BinaryCopyInWriter::new(sink, &[Type::BYTEA, Type::TEXT, Type::UUID]);
    let mut rows = pin!(rows);
    for todo in todos {
        for term in Term::all_of(todo) {
            rows.as_mut().write(&to_sql(&row_of(todo, &term))).await?;
        }
    }
    rows.finish().await.map(drop)
}

/// Adds the terms of a todo one by one, in one round trip.
pub(super) async fn add(
    transaction: &session::Transaction<'_>,
    todo: &Todo,
    terms: &[Term],
) -> Result<(), Error> {
    let add = async |term| transaction.query(Query::AddTerm, &row_of(todo, term)).await;
    try_join_all(terms.iter().map(add)).await.map(drop)
}

fn row_of<'a>(todo: &'a Todo, term: &'a Term) -> [Parameter<'a>; 3] {
    [row::key(todo.workspace()), Parameter::Text(Some(term.as_str())), Parameter::Id(todo.id())]
}

/// Terms in a line each. None has a line break in it.
pub(super) fn lines(terms: &[Term]) -> Parameter<'static> {
    let terms: Vec<_> = terms.iter().map(Term::as_str).collect();
    Parameter::OwnedText(Some(terms.join("\n")))
}

/// Adds the terms of all todos. One that cannot be read has none.
pub(super) async fn add_all(transaction: &Transaction<'_>) -> Result<(), Error> {
    let page = transaction.prepare(PAGE).await?;
    // No workspace key is empty: every todo sorts after this.
    let mut last = (Vec::new(), TodoId::from_bytes([0; 16]));
    loop {
        let (workspace, id) = (Parameter::Bytes(&last.0), Parameter::Id(last.1));
        let rows = transaction.query(&page, &to_sql(&[workspace, id])).await?;
        let Some(row) = rows.last() else { return Ok(()) };
        last = (row.try_get(13)?, TodoId::from_uuid(row.try_get(0)?));
        let todos: Vec<Todo> = rows.iter().filter_map(|row| row::read_any(row).ok()).collect();
        copy(transaction.copy_in(COPY).await?, todos.iter()).await?;
    }
}

/// Looks up the first terms of a range.
pub(super) fn range<'a>(
    workspace: &'a WorkspaceId,
    range: &'a TermRange,
    limit: usize,
) -> [Parameter<'a>; 4] {
    [
        row::key(workspace),
        Parameter::Text(Some(range.first().as_str())),
        Parameter::Text(Some(range.last().as_str())),
        Parameter::Number(Some(i64::try_from(limit).unwrap_or(i64::MAX))),
    ]
}

/// Reads a row of [`Query::Terms`].
pub(super) fn read(row: &Row) -> Result<Term, Error> {
    row.try_get(0).map(|term: &str| Term::from(term))
}

/// Looks up the ids that begin at `first`, of todos that have a term of a range.
pub(super) struct LookUp<'a> {
    pub(super) workspace: &'a WorkspaceId,
    pub(super) range: &'a TermRange,
    pub(super) first: TodoId,
    pub(super) limit: usize,
}

impl Work for LookUp<'_> {
    /// As the port returns them.
    type Output = Option<IdsByTerm>;

    fn is_a_read(&self) -> bool {
        true
    }

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.workspace.as_str().as_bytes())
    }

    async fn on(&self, session: &mut Session) -> Result<Self::Output, Error> {
        const MAX: usize = IdsByTerm::MAX_TERMS;
        // Of more terms, no ids are needed.
        let of_each =
            |terms| if terms > MAX { 0 } else { IdsByTerm::limit_of_each(self.limit, terms) };
        let limits: Vec<i64> =
            (1..=MAX + 1).map(|terms| i64::try_from(of_each(terms)).unwrap_or(i64::MAX)).collect();
        let ids = [Parameter::Id(self.first), Parameter::Numbers(&limits)];
        let found: Vec<_> =
            range(self.workspace, self.range, MAX + 1).into_iter().chain(ids).collect();
        let rows = session.query(Query::IdsByTerm, &found).await?;
        let mut of_terms = BTreeMap::<&str, Vec<TodoId>>::new();
        for row in &rows {
            let id: Option<_> = row.try_get(1)?;
            of_terms.entry(row.try_get(0)?).or_default().extend(id.map(TodoId::from_uuid));
        }
        let limit = of_each(of_terms.len());
        let are_few = of_terms.len() <= MAX;
        Ok(are_few.then(|| IdsByTerm::merge(of_terms.into_values(), limit)))
    }
}
