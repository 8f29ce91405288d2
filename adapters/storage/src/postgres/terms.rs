//! The terms of todos: a row for each term of each todo, changed in the transaction of each write.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::try_join_all;
use todo_application::domain::{Term, TermRange, Todo, TodoId, WorkspaceId};
use todo_application::ports::IdsByTerm;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{CopyInSink, Error, Row};

use super::connections::Work;
use super::parameter::{Parameter, columns, to_sql};
use super::queries::Query;
use super::row;
use super::session::{self, Session};

pub(super) const COPY: &str = "COPY todo_terms (workspace, term, id) FROM STDIN (FORMAT binary)";

/// Copies terms of todos, which are not there yet.
pub(super) async fn copy<'a>(
    sink: CopyInSink<Bytes>,
    todos: impl Iterator<Item = &'a Todo>,
    terms_of: fn(&Todo) -> Vec<Term>,
) -> Result<(), Error> {
    let rows = BinaryCopyInWriter::new(sink, &[Type::BYTEA, Type::TEXT, Type::UUID]);
    let mut rows = pin!(rows);
    for todo in todos {
        for term in terms_of(todo) {
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

/// The same for many todos.
pub(super) async fn add_of_all(
    transaction: &session::Transaction<'_>,
    terms: &[(&Todo, Vec<Term>)],
) -> Result<(), Error> {
    if transaction.has_citus() {
        let add = terms.iter().map(|(todo, terms)| add(transaction, todo, terms));
        return try_join_all(add).await.map(drop);
    }
    let rows = terms.iter().flat_map(|(todo, terms)| terms.iter().map(|term| row_of(todo, term)));
    let mut columns = columns(rows);
    // All have the same workspace.
    let Some((todo, _)) = terms.first() else { return Ok(()) };
    columns[0] = row::key(todo.workspace());
    transaction.query(Query::AddTerms, &columns).await.map(drop)
}

/// Removes terms from a todo.
pub(super) async fn remove(
    transaction: &session::Transaction<'_>,
    todo: &Todo,
    terms: &[Term],
) -> Result<(), Error> {
    let remove = async |term| transaction.query(Query::RemoveTerm, &row_of(todo, term)).await;
    try_join_all(terms.iter().map(remove)).await.map(drop)
}

fn row_of<'a>(todo: &'a Todo, term: &'a Term) -> [Parameter<'a>; 3] {
    [row::key(todo.workspace()), Parameter::Text(Some(term.as_str())), Parameter::Id(todo.id())]
}

/// Terms in a line each. None has a line break in it.
pub(super) fn lines(terms: &[Term]) -> Parameter<'static> {
    let terms: Vec<_> = terms.iter().map(Term::as_str).collect();
    Parameter::OwnedText(Some(terms.join("\n")))
}

/// Looks up the first terms of each range.
pub(super) fn ranges<'a>(
    workspace: &'a WorkspaceId,
    ranges: &'a [TermRange],
    limit: usize,
) -> [Parameter<'a>; 4] {
    let texts = |end: fn(&TermRange) -> &Term| {
        let text = |range| Parameter::Text(Some(end(range).as_str()));
        Parameter::Array(ranges.iter().map(text).collect())
    };
    [
        row::key(workspace),
        texts(TermRange::first),
        texts(TermRange::last),
        Parameter::Number(Some(i64::try_from(limit).unwrap_or(i64::MAX))),
    ]
}

/// Reads a row of [`Query::Terms`].
pub(super) fn read(row: &Row) -> Result<Term, Error> {
    row.try_get(0).map(|term: &str| Term::from(term))
}

/// Looks up the ids that begin at `first`, of todos that have a term of some ranges.
pub(super) struct LookUp<'a> {
    pub(super) workspace: &'a WorkspaceId,
    pub(super) ranges: &'a [TermRange],
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
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        // Of more terms, no ids are needed.
        let shares = (1..=MAX).map(|terms| number(IdsByTerm::first_of_each(self.limit, terms)));
        let shares: Vec<i64> = shares.chain([0]).collect();
        let ids = [
            Parameter::Id(self.first),
            Parameter::Number(Some(number(self.limit))),
            Parameter::Numbers(&shares),
        ];
        let found: Vec<_> =
            ranges(self.workspace, self.ranges, MAX + 1).into_iter().chain(ids).collect();
        let rows = session.query(Query::IdsByTerm, &found).await?;
        if let Some(row) = rows.first()
            && row.try_get::<_, i64>(0)? > number(MAX)
        {
            return Ok(None);
        }
        let of_term = |row: &Row| {
            let ids: Vec<_> = row.try_get(1)?;
            Ok(ids.into_iter().map(TodoId::from_uuid).collect())
        };
        let of_terms: Result<Vec<Vec<_>>, Error> = rows.iter().map(of_term).collect();
        Ok(Some(IdsByTerm::merge(of_terms?, self.limit)))
    }
}
