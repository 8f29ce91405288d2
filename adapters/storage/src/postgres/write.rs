//! The writes of a single statement.

use std::num::NonZeroU64;

use todo_application::domain::{Quota, Todo, TodoId, Version, WorkspaceId};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::{Session, Transaction};

/// A statement that changes one todo and counts it in the head of its workspace, or does neither.
pub(super) enum Write {
    Insert { todo: Todo, quota: Quota },
    Save { todo: Todo, expected: Version, quota: Quota },
    Remove { workspace: WorkspaceId, id: TodoId, expected: Option<Version> },
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
            Self::Insert { todo, quota } => inserted(todo, *quota),
            Self::Save { todo, expected, quota } => {
                let expected = Parameter::Number(Some(expected.as_i64()));
                let bytes = Parameter::Number(Some(todo.bytes().cast_signed()));
                let more = [expected, bytes, limit(quota.bytes)];
                row::values(todo).into_iter().chain(more).collect()
            }
            Self::Remove { workspace, id, expected } => {
                let expected = Parameter::Number(expected.map(Version::as_i64));
                vec![row::key(workspace), Parameter::Id(*id), expected]
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
        if let Self::Insert { todo, quota } = self
            && session.has_citus()
        {
            let transaction = session.transaction().await?;
            let is_added = insert(&transaction, todo, *quota).await?;
            if is_added {
                transaction.commit().await?;
            }
            return Ok(is_added);
        }
        had_effect(session.query(self.query(), &self.parameters()).await)
    }
}

/// Adds a todo and counts it, in a transaction that is rolled back if it was not added. Returns whether it
/// was: otherwise its id is taken, or the workspace does not take it.
pub(super) async fn insert(
    transaction: &Transaction<'_>,
    todo: &Todo,
    quota: Quota,
) -> Result<bool, Error> {
    if !transaction.has_citus() {
        return had_effect(transaction.query(Query::Insert, &inserted(todo, quota)).await);
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
    Ok(!transaction.query(Query::Load, &row::values(todo)).await?.is_empty())
}

/// The parameters of [`Query::Insert`].
fn inserted(todo: &Todo, quota: Quota) -> Vec<Parameter<'_>> {
    let limits = [quota.todos, quota.bytes].map(limit);
    row::values(todo).into_iter().chain(row::counted(todo)).chain(limits).collect()
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
