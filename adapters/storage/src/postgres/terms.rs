//! The terms of todos: a row for each term of each todo, changed in the transaction of each write.

use std::iter;
use std::pin::pin;

use bytes::Bytes;
use futures_util::future::try_join_all;
use todo_application::domain::{Term, TermRange, Todo, TodoId, WorkspaceId};
use todo_application::ports::IdsByTerm;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{CopyInSink, Error, Row};

use super::connections::Work;
use super::parameter::{Parameter, clamped, columns, to_sql};
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
    ranges: impl Iterator<Item = &'a TermRange> + Clone,
    limit: usize,
) -> [Parameter<'a>; 4] {
    [
        row::key(workspace),
        texts(ranges.clone().map(TermRange::first)),
        texts(ranges.map(TermRange::last)),
        Parameter::count(limit),
    ]
}

fn texts<'a>(terms: impl Iterator<Item = &'a Term>) -> Parameter<'a> {
    Parameter::Array(terms.map(|term| Parameter::Text(Some(term.as_str()))).collect())
}

/// Reads a row of [`Query::Terms`].
pub(super) fn read(row: &Row) -> Result<Term, Error> {
    row.try_get(0).map(|term: &str| Term::from(term))
}

/// Of so many terms, all ids up to the limit are read: to read less of each costs more than it saves.
/// [`Query::IdsByTerm`] begins with as many.
const FEW: usize = 2;

/// The statement that merges so many terms that are known, and how many it has room for. `None` if there is none for so
/// many. Nor is there for no known term: a range of which none is known, as that of a word, often has many.
fn merging(known: usize) -> Option<(Query, usize)> {
    let statements = [
        (Query::IdsOf4, 4),
        (Query::IdsOf8, 8),
        (Query::IdsOf12, 12),
        (Query::IdsOf16, 16),
        (Query::IdsOf20, 20),
        (Query::IdsOf24, 24),
    ];
    statements.into_iter().find(|(_, size)| (1..=*size).contains(&known))
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
        let known: Vec<_> = self.ranges.iter().filter_map(TermRange::known).flatten().collect();
        let unknown: Vec<_> = self.ranges.iter().filter(|range| range.known().is_none()).collect();
        if unknown.is_empty() && known.len() <= FEW {
            let found = self.of_few(session, &known).await?;
            return Ok(Some(IdsByTerm::merge(found, self.limit)));
        }
        // Citus plans a statement whenever it runs, and these are long.
        let merging = merging(known.len()).filter(|_| !session.has_citus());
        if let (Some(merging), [] | [_]) = (merging, &unknown[..])
            && let Some(ids) =
                self.merged(session, merging, &known, unknown.first().copied()).await?
        {
            return Ok(Some(IdsByTerm::merge([ids], self.limit)));
        }
        let found = self.of_all(session, &known, &unknown).await?;
        Ok(found.map(|ids| IdsByTerm::merge(ids, self.limit)))
    }
}

impl LookUp<'_> {
    async fn of_few(&self, session: &Session, terms: &[&Term]) -> Result<Ids, Error> {
        let terms = [
            row::key(self.workspace),
            texts(terms.iter().copied()),
            Parameter::Id(self.first),
            Parameter::count(self.limit),
        ];
        ids(&session.query(Query::IdsOfTerms, &terms).await?)
    }

    /// `None` if too many terms of the range were found.
    async fn merged(
        &self,
        session: &Session,
        (query, size): (Query, usize),
        known: &[&Term],
        unknown: Option<&TermRange>,
    ) -> Result<Option<Vec<TodoId>>, Error> {
        let ends = unknown.map(TermRange::bounds);
        let terms = known.iter().map(|term| Some(term.as_str())).chain(iter::repeat(None));
        let mut parameters = vec![
            row::key(self.workspace),
            Parameter::Id(self.first),
            Parameter::count(self.limit),
            Parameter::Text(ends.as_ref().map(|ends| ends.start().as_str())),
            Parameter::Text(ends.as_ref().map(|ends| ends.end().as_str())),
        ];
        parameters.extend(terms.take(size).map(Parameter::Text));
        let rows = session.query(query, &parameters).await?;
        let id = |row: &Row| row.try_get::<_, Option<_>>(0);
        let ids: Result<Option<Vec<_>>, _> = rows.iter().map(id).collect();
        Ok(ids?.map(|ids| ids.into_iter().map(TodoId::from_uuid).collect()))
    }

    /// `None` if there are too many terms.
    async fn of_all(
        &self,
        session: &Session,
        known: &[&Term],
        unknown: &[&TermRange],
    ) -> Result<Option<Ids>, Error> {
        const MAX: usize = IdsByTerm::MAX_TERMS;
        // Of more terms, no ids are needed.
        let shares = (1..=MAX).map(|terms| IdsByTerm::first_of_each(self.limit, terms));
        let shares: Vec<_> = shares.chain([0]).map(clamped).collect();
        let [workspace, first, last, limit] =
            ranges(self.workspace, unknown.iter().copied(), MAX + 1);
        let terms = [
            workspace,
            first,
            last,
            limit,
            Parameter::Id(self.first),
            Parameter::count(self.limit),
            Parameter::Numbers(&shares),
            texts(known.iter().copied()),
        ];
        let rows = session.query(Query::IdsByTerm, &terms).await?;
        if let Some(row) = rows.first()
            && row.try_get::<_, i64>(1)? > clamped(MAX)
        {
            return Ok(None);
        }
        ids(&rows).map(Some)
    }
}

/// Those of each term.
type Ids = Vec<Vec<TodoId>>;

fn ids(rows: &[Row]) -> Result<Ids, Error> {
    let of_term = |row: &Row| {
        let ids: Vec<_> = row.try_get(0)?;
        Ok(ids.into_iter().map(TodoId::from_uuid).collect())
    };
    rows.iter().map(of_term).collect()
}
