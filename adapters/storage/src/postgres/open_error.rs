//! Why a database cannot be used.

use deadpool::managed::PoolError;
use thiserror::Error;
use todo_application::ports::BoxError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connector::ConnectError;
use super::database_error::reason;

/// Why a PostgreSQL database cannot be used, as one sentence that says what to do about it.
#[derive(Debug, Error)]
#[error("{database} {problem}")]
pub struct PostgresOpenError {
    /// The database, without its password.
    pub database: String,
    pub problem: PostgresOpenProblem,
}

/// The problem with a PostgreSQL database: the rest of a sentence that starts with its URL.
#[derive(Debug, Error)]
pub enum PostgresOpenProblem {
    /// No host answers, or not in time, or only a standby does.
    #[error("cannot be reached ({0}): start it, or set DATABASE_URL to another database")]
    Unreachable(String),
    #[error("rejects this user ({0}): correct the user or the password in DATABASE_URL")]
    Login(String),
    #[error("does not exist: create it, or set DATABASE_URL to another database")]
    Missing,
    /// The user may not create or use the tables.
    #[error(
        "does not grant this user what is needed ({0}): grant it, or run `todo-mcp migrate` as the \
         owner of the tables"
    )]
    NotAllowed(String),
    /// It cannot store every text.
    #[error("has the encoding {0}: create it with the encoding UTF8")]
    Encoding(String),
    /// A later version of this program has migrated it.
    #[error(
        "has schema {found}, and this program supports schemas up to {known}: use a newer todo-mcp, or \
         set DATABASE_URL to another database"
    )]
    NewerSchema { found: i32, known: i32 },
    /// Only earlier versions of this program have migrated it. 0 means none.
    #[error(
        "has schema {found}, and this program reads schema {known}: migrate it with `todo-mcp migrate`"
    )]
    OlderSchema { found: i32, known: i32 },
    /// It has a table with the name of ours and other columns.
    #[error(
        "has a table `todos` of another application ({0}): set DATABASE_URL to another database"
    )]
    Foreign(String),
    #[error("cannot be verified: the certificates to verify it with cannot be read ({0})")]
    Certificates(#[source] BoxError),
    /// Anything else that the database reports.
    #[error("cannot be used ({0}): fix this, or set DATABASE_URL to another database")]
    Other(String),
}

impl From<Error> for PostgresOpenProblem {
    fn from(error: Error) -> Self {
        let Some(code) = error.code().cloned() else {
            return Self::Unreachable(reason(error));
        };
        let foreign =
            [SqlState::UNDEFINED_COLUMN, SqlState::DATATYPE_MISMATCH, SqlState::UNDEFINED_FUNCTION];
        match code {
            SqlState::INVALID_CATALOG_NAME => Self::Missing,
            SqlState::INSUFFICIENT_PRIVILEGE => Self::NotAllowed(reason(error)),
            // Class 28: invalid authorization.
            code if code.code().starts_with("28") => Self::Login(reason(error)),
            // Too many connections, starting up, shutting down, a lost connection.
            code if matches!(code.code().get(..2), Some("08" | "53" | "57")) => {
                Self::Unreachable(reason(error))
            }
            code if foreign.contains(&code) => Self::Foreign(reason(error)),
            _ => Self::Other(reason(error)),
        }
    }
}

impl From<ConnectError> for PostgresOpenProblem {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Driver(error) => error.into(),
            ConnectError::NoAnswer => Self::Unreachable(error.to_string()),
        }
    }
}

impl From<PoolError<ConnectError>> for PostgresOpenProblem {
    fn from(error: PoolError<ConnectError>) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => ConnectError::NoAnswer.into(),
            error @ (PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_)) => Self::Other(error.to_string()),
        }
    }
}
