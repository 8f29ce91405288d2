//! Errors of the driver, without what they could reveal.

use thiserror::Error;
use todo_application::ports::{BoxError, in_one_line};
use tokio_postgres::Error;

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
