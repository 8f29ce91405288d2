//! Adding a todo.

use todo_application::domain::Todo;
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
}

impl Work for Insert<'_> {
    /// Whether the todo was added. Otherwise its id is taken, or not after the last one.
    type Output = bool;

    fn is_a_read(&self) -> bool {
        false
    }

    async fn on(&self, session: &mut Session) -> Result<bool, Error> {
        inserted(session.query(Query::Insert, &values(self.todo)).await)
    }
}

/// The parameters of [`Query::Insert`].
pub(super) fn values(todo: &Todo) -> Vec<Parameter<'_>> {
    row::values(todo).into_iter().chain(row::counted(todo)).collect()
}

/// Whether the todo was added, from what [`Query::Insert`] returned.
pub(super) fn inserted(answer: Result<Vec<Row>, Error>) -> Result<bool, Error> {
    match answer {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}
