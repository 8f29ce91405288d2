//! Adding a todo.

use std::num::NonZeroU64;

use todo_application::domain::{Quota, Todo};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::Session;

/// A statement that adds a todo and counts it in the head of its workspace, or does neither.
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

    fn workspace(&self) -> Option<&[u8]> {
        Some(self.todo.workspace().as_str().as_bytes())
    }

    async fn on(&self, session: &mut Session) -> Result<bool, Error> {
        inserted(session.query(Query::Insert, &values(self.todo, self.quota)).await)
    }
}

/// The parameters of [`Query::Insert`].
pub(super) fn values(todo: &Todo, quota: Quota) -> Vec<Parameter<'_>> {
    let limits = [quota.todos, quota.bytes].map(limit);
    row::values(todo).into_iter().chain(row::counted(todo)).chain(limits).collect()
}

/// A limit as a number that is compared.
pub(super) fn limit(limit: Option<NonZeroU64>) -> Parameter<'static> {
    let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX));
    Parameter::Number(Some(limit))
}

/// Whether the todo was added, from what [`Query::Insert`] returned.
pub(super) fn inserted(answer: Result<Vec<Row>, Error>) -> Result<bool, Error> {
    match answer {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}
