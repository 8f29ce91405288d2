//! What became of a statement that failed.

use deadpool::managed::PoolError;
use thiserror::Error;
use todo_application::ports::{BoxError, StorageError};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connector::ConnectError;

/// Why a statement failed, and what is known of its effect.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fate: Fate,
    error: BoxError,
}

/// What is known of the effect of a statement that failed. It decides whether the statement may be
/// sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It had none: the database took it back in favour of another transaction. Sent again, it may
    /// well succeed.
    TakenBack,
    /// It had none, and would have none if it was sent again now.
    Refused,
    /// It took longer than a statement may, and had no effect.
    TooSlow,
    /// The connection was lost while it was under way: it had its effect, or none.
    Unknown,
}

/// What the database said. Its details can quote what is in a todo, so they are left away.
#[derive(Debug, Error)]
#[error("{message} (SQLSTATE {code})")]
struct Said {
    code: String,
    message: String,
}

/// There was no answer in time.
#[derive(Debug, Error)]
#[error("the database does not answer in time")]
struct NoAnswer;

impl Failure {
    /// The time to wait for an answer is over.
    pub(super) fn no_answer() -> Self {
        Self { fate: Fate::Unknown, error: NoAnswer.into() }
    }

    /// The cause in one line, for the operator.
    pub(super) fn reason(self) -> String {
        in_one_line(self.error.as_ref())
    }

    /// Whether the connection can carry the next statement. In doubt it cannot: a new one is made
    /// in a moment, and one that leads to a server that was demoted, or has lost what was prepared
    /// on it, would fail time and again.
    pub(super) fn leaves_the_connection_sound(&self) -> bool {
        match self.fate {
            Fate::TakenBack | Fate::TooSlow => true,
            Fate::Refused | Fate::Unknown => false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let fate = match error.code() {
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
                Fate::TakenBack
            }
            Some(&SqlState::QUERY_CANCELED) => Fate::TooSlow,
            // The server's last words on a connection may come after the commit (class 57: it is
            // shut down; class 08: it lost another server; 40003 says it in so many words).
            Some(&SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN) | None => Fate::Unknown,
            Some(state) if matches!(state.code().get(..2), Some("08" | "57" | "58" | "XX")) => {
                Fate::Unknown
            }
            Some(_) => Fate::Refused,
        };
        Self { fate, error: cause(error) }
    }
}

/// Nothing was sent.
impl From<PoolError<ConnectError>> for Failure {
    fn from(error: PoolError<ConnectError>) -> Self {
        let error = match error {
            PoolError::Backend(ConnectError::Driver(error)) => cause(error),
            PoolError::Backend(error @ ConnectError::NoAnswer) => error.into(),
            error @ (PoolError::Timeout(_)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_)) => error.into(),
        };
        Self { fate: Fate::Refused, error }
    }
}

impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        Self::Unavailable(failure.error)
    }
}

fn cause(error: Error) -> BoxError {
    match error.as_db_error() {
        None => error.into(),
        Some(said) => {
            let (code, message) = (said.code().code().to_owned(), said.message().to_owned());
            Said { code, message }.into()
        }
    }
}

/// An error of the driver in one line.
pub(super) fn reason(error: Error) -> String {
    in_one_line(cause(error).as_ref())
}

fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |reason, cause| format!("{reason}: {cause}"))
}
