//! The writes of a single statement.

use std::num::NonZeroU64;

use todo_application::domain::{Quota, TermChange, Todo, TodoId, Version, WorkspaceId};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::session::{Session, Transaction};
use super::{row, terms};

/// A statement that changes one todo and counts it in the head of its workspace, or does neither.
pub(super) enum Write {
    Insert { todo: Todo, terms: TermChange, quota: Quota },
    Save { before: Version, todo: Todo, terms: TermChange, quota: Quota },
    Remove { workspace: WorkspaceId, id: TodoId, before: Version, terms: TermChange },
}

impl Write {
    pub(super) fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Insert { todo, .. } | Self::Save { todo, .. } => todo.workspace(),
            Self::Remove { workspace, .. } => workspace,
        }
    }

    /// The key of its workspace in the database.
    pub(super) fn key(&self) -> &[u8] {
        Self::workspace(self).as_str().as_bytes()
    }

    pub(super) fn query(&self) -> Query {
        match self {
            Self::Insert { .. } => Query::Insert,
            Self::Save { .. } => Query::Save,
            Self::Remove { .. } => Query::Remove,
        }
    }

    pub(super) fn parameters(&self) -> Vec<Parameter<'_>> {
        match self {
            Self::Insert { todo, terms, quota } => inserted(todo, terms, *quota),
            Self::Save { before, todo, terms, quota } => {
                let terms = [&terms.removed, &terms.added].map(|terms| Parameter::Terms(terms));
                saved(*before, todo, *quota).chain(terms).collect()
            }
            Self::Remove { workspace, id, before, terms } => {
                let before = Parameter::Number(Some(before.as_i64()));
                let terms = Parameter::Terms(&terms.removed);
                vec![row::key(workspace), Parameter::Id(*id), before, terms]
            }
        }
    }
}

impl Work for Write {
    /// Whether it had its effect. Otherwise it was refused because of what is stored.
    type Output = bool;

    fn is_a_read(&self) -> bool {
        false
    }

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.key())
    }

    async fn on(&self, session: &mut Session) -> Result<bool, Error> {
        if session.has_citus() && !matches!(self, Self::Remove { .. }) {
            let transaction = session.transaction().await?;
            let had_effect = match self {
                Self::Save { before, todo, terms, quota } => {
                    save_in_parts(&transaction, *before, todo, terms, *quota).await?
                }
                Self::Insert { todo, terms, quota } => {
                    insert(&transaction, todo, terms, *quota).await?
                }
                Self::Remove { .. } => false,
            };
            if had_effect {
                transaction.commit().await?;
            }
            return Ok(had_effect);
        }
        had_effect(session.query(self.query(), &self.parameters()).await)
    }
}

/// Saves a todo in a transaction that is rolled back if it had no effect.
async fn save_in_parts(
    transaction: &Transaction<'_>,
    before: Version,
    todo: &Todo,
    terms: &TermChange,
    quota: Quota,
) -> Result<bool, Error> {
    let item: Vec<_> = saved(before, todo, quota).collect();
    if transaction.query(Query::SaveItem, &item).await?.is_empty() {
        return Ok(false);
    }
    if !terms.removed.is_empty() {
        let (workspace, id) = (row::key(todo.workspace()), Parameter::Id(todo.id()));
        let removed = [workspace, Parameter::Terms(&terms.removed), id];
        transaction.query(Query::RemoveTerms, &removed).await?;
    }
    terms::add(transaction, todo, &terms.added).await?;
    Ok(true)
}

/// Adds a todo and counts it, in a transaction that is rolled back if it was not added. Returns whether it
/// was: otherwise its id is taken, or the workspace does not take it.
pub(super) async fn insert(
    transaction: &Transaction<'_>,
    todo: &Todo,
    terms: &TermChange,
    quota: Quota,
) -> Result<bool, Error> {
    if !transaction.has_citus() {
        return had_effect(transaction.query(Query::Insert, &inserted(todo, terms, quota)).await);
    }
    if quota.bytes.is_some_and(|limit| todo.bytes() > limit.get()) {
        return Ok(false);
    }
    let [bytes, minted] = row::counted(todo);
    let [todos_limit, bytes_limit] = [quota.todos, quota.bytes].map(limit);
    let head = [row::key(todo.workspace()), bytes, minted, todos_limit, bytes_limit];
    if transaction.query(Query::AdmitToHead, &head).await?.is_empty() {
        return Ok(false);
    }
    if transaction.query(Query::Load, &row::values(todo)).await?.is_empty() {
        return Ok(false);
    }
    terms::add(transaction, todo, &terms.added).await?;
    Ok(true)
}

/// The parameters of [`Query::Insert`].
fn inserted<'a>(todo: &'a Todo, terms: &'a TermChange, quota: Quota) -> Vec<Parameter<'a>> {
    let counted = row::values(todo).into_iter().chain(row::counted(todo));
    let limits = [quota.todos, quota.bytes].map(limit);
    counted.chain(limits).chain([Parameter::Terms(&terms.added)]).collect()
}

/// The parameters of [`Query::InsertAll`].
pub(super) fn all_inserted<'a>(
    todos: &[(&'a Todo, &'a TermChange)],
    quota: Quota,
) -> Vec<Parameter<'a>> {
    let mut columns: [_; 16] = std::array::from_fn(|_| Vec::with_capacity(todos.len()));
    for (todo, _) in todos {
        let values = row::values(todo).into_iter().chain(row::counted(todo));
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    let terms = todos.iter().map(|(_, terms)| terms::lines(&terms.added)).collect();
    let limits = [quota.todos, quota.bytes].map(limit);
    let columns = columns.into_iter().map(Parameter::Array);
    columns.chain(limits).chain([Parameter::Array(terms)]).collect()
}

/// The parameters of [`Query::SaveItem`].
fn saved(before: Version, todo: &Todo, quota: Quota) -> impl Iterator<Item = Parameter<'_>> {
    let before = Parameter::Number(Some(before.as_i64()));
    let bytes = Parameter::Number(Some(todo.bytes().cast_signed()));
    row::values(todo).into_iter().chain([before, bytes, limit(quota.bytes)])
}

/// A limit as a number that is compared.
fn limit(limit: Option<NonZeroU64>) -> Parameter<'static> {
    let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX));
    Parameter::Number(Some(limit))
}

/// Whether a write had its effect, from what its statement returned: a row, or that the id is taken.
fn had_effect(answer: Result<Vec<Row>, Error>) -> Result<bool, Error> {
    match answer {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}
