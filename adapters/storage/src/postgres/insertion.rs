//! Adding a todo.

use std::num::NonZeroU64;

use todo_application::domain::{Quota, Todo};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::{Session, Transaction};

/// Adds a todo and counts it in the head of its workspace, or does neither.
pub(super) struct Insert<'a> {
    pub(super) todo: &'a Todo,
    pub(super) quota: Quota,
}

impl Work for Insert<'_> {
    /// Whether the todo was added. Otherwise its id is taken, or the workspace does not take it.
    type Output = bool;

    fn is_a_read(&self) -> bool {
        false
    }

    async fn on(&self, session: &mut Session) -> Result<bool, Error> {
        let Self { todo, quota } = *self;
        if !session.has_citus() {
            return inserted(session.query(Query::Insert, &values(todo, quota)).await);
        }
        let transaction = session.transaction().await?;
        let is_added = insert(&transaction, todo, quota).await?;
        if is_added {
            transaction.commit().await?;
        }
        Ok(is_added)
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
        return inserted(transaction.query(Query::Insert, &values(todo, quota)).await);
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
fn values(todo: &Todo, quota: Quota) -> Vec<Parameter<'_>> {
    let limits = [quota.todos, quota.bytes].map(limit);
    row::values(todo).into_iter().chain(row::counted(todo)).chain(limits).collect()
}

/// A limit as a number that is compared.
pub(super) fn limit(limit: Option<NonZeroU64>) -> Parameter<'static> {
    let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX));
    Parameter::Number(Some(limit))
}

/// Whether the todo was added, from what [`Query::Insert`] returned.
fn inserted(answer: Result<Vec<Row>, Error>) -> Result<bool, Error> {
    match answer {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}
