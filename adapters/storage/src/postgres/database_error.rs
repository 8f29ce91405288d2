//! Errors of the driver, without what they could reveal.

use thiserror::Error;
use todo_application::ports::{BoxError, in_one_line};
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// An error message of the database, without its details, which can quote the content of todos.
#[derive(Debug, Error)]
#[error("{message} (SQLSTATE {code})")]
struct DatabaseError {
    code: String,
    message: String,
}

pub(super) fn cause(error: Error) -> BoxError {
    match error.as_db_error() {
        None => error.into(),
        Some(error) => {
            let (code, message) = (error.code().code().to_owned(), error.message().to_owned());
            DatabaseError { code, message }.into()
        }
    }
}

/// An error of the driver in one line.
pub(super) fn reason(error: Error) -> String {
    in_one_line(cause(error).as_ref())
}

/// Whether the server, its user or the pooler before it has as many connections as it may have.
///
/// PgBouncer has the code 08P01 for everything, and passes on what a server says to it.
pub(super) fn is_full(error: &Error) -> bool {
    const OF_A_POOLER: [&str; 4] = [
        "no more connections allowed",
        "too many clients already",
        "too many connections",
        "remaining connection slots are reserved",
    ];
    error.as_db_error().is_some_and(|error| match *error.code() {
        SqlState::TOO_MANY_CONNECTIONS => true,
        SqlState::PROTOCOL_VIOLATION => {
            OF_A_POOLER.iter().any(|words| error.message().contains(words))
        }
        _ => false,
    })
}
