//! Why a database cannot be used.

use std::error::Error as _;

use deadpool::managed::PoolError;
use thiserror::Error;
use todo_application::ports::BoxError;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::connector::ConnectError;
use super::database_error::{is_full, reason};
use super::tls::{self, Rejection};

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
    /// No host answers, or not in time.
    #[error("cannot be reached ({0}): start it, or set DATABASE_URL to another database")]
    Unreachable(String),
    #[error(
        "accepts no more connections ({0}): raise its max_connections, or the limit of this user or of \
         the pooler, or lower TODO_POSTGRES_POOL for each server"
    )]
    Full(String),
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
    /// Its setting, or that of its user, or it is a standby.
    #[error(
        "accepts no writes ({0}): set default_transaction_read_only to off for it and its user, or, if \
         it is a standby, set DATABASE_URL to its primary"
    )]
    ReadOnly(String),
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
    /// A pooler is in transaction mode, or in statement mode.
    #[error(
        "is behind a pooler that shares sessions between its clients, so the settings and prepared \
         statements of this program would be lost and reach others: set its pool_mode to session for this \
         database or user, or set DATABASE_URL to the database itself"
    )]
    SharedSessions,
    /// It has a table with the name of ours and other columns.
    #[error(
        "has a table `todos` of another application ({0}): set DATABASE_URL to another database"
    )]
    Foreign(String),
    #[error("cannot be verified: the certificates to verify it with cannot be read ({0})")]
    Certificates(#[source] BoxError),
    /// The server has a certificate of X.509 version 1, which holds no host names.
    #[error(
        "has a certificate of X.509 version 1, and sslmode=verify-full needs one of version 3, which \
         names its hosts: issue it with the host of DATABASE_URL as a subjectAltName (openssl: \
         `-addext subjectAltName=DNS:HOST`), or set sslmode=require, which encrypts and does not check \
         who answers"
    )]
    CertificateVersion,
    /// The certificate of the server is for another host, of an unknown authority, or expired.
    #[error(
        "has a certificate that sslmode=verify-full does not accept ({0}): set sslrootcert to the file of \
         its authority, connect to a host that it names, or replace it"
    )]
    Certificate(String),
    /// Anything else that the database reports.
    #[error("cannot be used ({0}): fix this, or set DATABASE_URL to another database")]
    Other(String),
}

impl From<Error> for PostgresOpenProblem {
    fn from(error: Error) -> Self {
        let Some(code) = error.code().cloned() else {
            if is_read_only(&error) {
                return Self::ReadOnly(READ_ONLY.to_owned());
            }
            return match tls::rejection(&error) {
                Some(Rejection::Version) => Self::CertificateVersion,
                Some(Rejection::Other) => Self::Certificate(reason(error)),
                None => Self::Unreachable(reason(error)),
            };
        };
        if is_full(&error) {
            return Self::Full(reason(error));
        }
        let foreign =
            [SqlState::UNDEFINED_COLUMN, SqlState::DATATYPE_MISMATCH, SqlState::UNDEFINED_FUNCTION];
        match code {
            SqlState::INVALID_CATALOG_NAME => Self::Missing,
            SqlState::READ_ONLY_SQL_TRANSACTION => Self::ReadOnly(reason(error)),
            SqlState::INSUFFICIENT_PRIVILEGE => Self::NotAllowed(reason(error)),
            // Each connection prepares its own.
            SqlState::INVALID_SQL_STATEMENT_NAME | SqlState::DUPLICATE_PSTATEMENT => {
                Self::SharedSessions
            }
            // Class 28: invalid authorization.
            code if code.code().starts_with("28") => Self::Login(reason(error)),
            // Starting up, shutting down, a lost connection, a lack of memory.
            code if matches!(code.code().get(..2), Some("08" | "53" | "57")) => {
                Self::Unreachable(reason(error))
            }
            code if foreign.contains(&code) => Self::Foreign(reason(error)),
            _ => Self::Other(reason(error)),
        }
    }
}

/// The driver's text for a host that is not wanted because it is read-only.
const READ_ONLY: &str = "database does not allow writes";

fn is_read_only(error: &Error) -> bool {
    error.source().is_some_and(|cause| cause.to_string() == READ_ONLY)
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
