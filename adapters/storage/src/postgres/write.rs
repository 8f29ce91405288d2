//! The writes of a single statement.

use std::num::NonZeroU64;

use todo_application::domain::{Quota, Todo, TodoId, Version, WorkspaceId};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Error, Row};

use super::connections::Work;
use super::parameter::Parameter;
use super::queries::Query;
use super::row;
use super::session::Session;

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
        had_effect(session.query(self.query(), &self.parameters()).await)
    }
}

/// The parameters of [`Query::Insert`].
pub(super) fn inserted(todo: &Todo, quota: Quota) -> Vec<Parameter<'_>> {
    let limits = [quota.todos, quota.bytes].map(limit);
    row::values(todo).into_iter().chain(row::counted(todo)).chain(limits).collect()
}

/// A limit as a number that is compared.
fn limit(limit: Option<NonZeroU64>) -> Parameter<'static> {
    let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit.get()).unwrap_or(i64::MAX));
    Parameter::Number(Some(limit))
}

/// Whether a write had its effect, from what its statement returned: a row, or that the id is taken.
pub(super) fn had_effect(answer: Result<Vec<Row>, Error>) -> Result<bool, Error> {
    match answer {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Ok(false),
        Err(error) => Err(error),
    }
}
