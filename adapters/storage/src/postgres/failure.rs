//! What is known of the effect of a statement that failed.

use deadpool::managed::PoolError;
use thiserror::Error;
use todo_application::ports::{BoxError, StorageError, in_one_line};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::connector::ConnectError;
use super::database_error::cause;
use super::isolation::{Ending, Suspected};

/// Why a statement failed, and what is known of its effect.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) fate: Fate,
    /// Whether the server has found damaged data, which a retry finds again.
    is_damage: bool,
    /// Whether the server has lost a machine behind it, and not the connection.
    is_behind: bool,
    error: BoxError,
}

/// The effect of a statement that failed. It decides whether the statement may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// None: the database rolled it back in favour of another transaction. A retry is likely to
    /// succeed.
    RolledBack,
    /// None: it cannot be run as it was prepared, because tables have changed since or are distributed now.
    /// On a new connection it is prepared for them.
    Outdated,
    /// None, and a retry would have none either.
    Refused,
    /// None: it exceeded the time limit of a statement.
    TooSlow,
    /// The connection was lost while it was running: it may have had its effect or not.
    Unknown,
}

#[derive(Debug, Error)]
#[error("the database does not answer in time")]
struct NoAnswer;

#[derive(Debug, Error)]
#[error("the database answers others, but has not answered this workspace lately")]
struct NotAnsweredLately;

impl Failure {
    /// The server did not respond in time.
    pub(super) fn no_answer() -> Self {
        Self { fate: Fate::Unknown, is_damage: false, is_behind: false, error: NoAnswer.into() }
    }

    pub(super) fn ending(&self) -> Ending {
        match self.fate {
            Fate::RolledBack | Fate::Outdated | Fate::Refused => Ending::Answered,
            Fate::TooSlow => Ending::NotAnswered,
            Fate::Unknown => Ending::Failed,
        }
    }

    /// The cause in one line, for the log.
    pub(super) fn reason(self) -> String {
        in_one_line(self.error.as_ref())
    }

    /// Whether the connection can run the next statement. In doubt it cannot: a new one is made quickly,
    /// while one to a demoted server, or one that has lost its prepared statements, would fail again
    /// and again, and one that waits for another machine would not answer the next statement either. But
    /// while a machine of a cluster is down, a new connection for each request to it would take the time of
    /// requests to the others.
    pub(super) fn keeps_the_connection_usable(&self) -> bool {
        match self.fate {
            Fate::RolledBack => true,
            Fate::Unknown => self.is_behind,
            Fate::Outdated | Fate::Refused | Fate::TooSlow => false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let fate = match error.code() {
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
                Fate::RolledBack
            }
            // "cached plan must not change result type", "could not create distributed plan".
            Some(&SqlState::FEATURE_NOT_SUPPORTED) => Fate::Outdated,
            Some(&SqlState::QUERY_CANCELED) => Fate::TooSlow,
            // The last error on a connection may come after the commit (class 57: shutdown; class 08: it
            // lost another server; 40003 is defined as that).
            Some(&SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN) | None => Fate::Unknown,
            Some(state) if matches!(state.code().get(..2), Some("08" | "57" | "58" | "XX")) => {
                Fate::Unknown
            }
            Some(_) => Fate::Refused,
        };
        let damage = [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED];
        let is_damage = error.code().is_some_and(|code| damage.contains(code));
        // An error that ends the session is not of this severity.
        let is_error = |error: &DbError| error.parsed_severity() == Some(Severity::Error);
        let is_behind = error
            .as_db_error()
            .is_some_and(|it| it.code().code().starts_with("08") && is_error(it));
        Self { fate, is_damage, is_behind, error: cause(error) }
    }
}

/// No statement was sent.
impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        PoolError::Backend(error).into()
    }
}

/// No statement was sent.
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
        Self { fate: Fate::Refused, is_damage: false, is_behind: false, error }
    }
}

/// No statement was sent.
impl From<Suspected> for Failure {
    fn from(Suspected: Suspected) -> Self {
        Self {
            fate: Fate::Refused,
            is_damage: false,
            is_behind: false,
            error: NotAnsweredLately.into(),
        }
    }
}

impl From<Failure> for StorageError {
    fn from(failure: Failure) -> Self {
        if failure.is_damage {
            Self::Damaged(failure.error)
        } else {
            Self::Unavailable(failure.error)
        }
    }
}
