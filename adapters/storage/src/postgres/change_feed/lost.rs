//! Why a connection is closed.

use thiserror::Error;

use crate::postgres::connector::ConnectError;
use crate::postgres::database_error::reason;

/// Why a connection is closed.
#[derive(Debug, Error)]
pub(super) enum Lost {
    #[error(transparent)]
    NotConnected(#[from] ConnectError),
    #[error("{0}")]
    Failed(String),
    #[error("the database does not answer in time")]
    NoAnswer,
    #[error("the connection was closed")]
    Closed,
    /// It cannot listen.
    #[error("{0}")]
    Deaf(String),
}

impl From<tokio_postgres::Error> for Lost {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(reason(error))
    }
}
