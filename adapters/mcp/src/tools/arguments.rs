//! Arguments that several tools have.

use protected_mcp::{Failure, Integer};
use todo_application::domain::{Description, Title, TodoId, Version};

use crate::failure::not_found;

pub(super) fn title(text: &str) -> Result<Title, Failure> {
    Title::try_from(text).map_err(|error| Failure::invalid_argument("title", error))
}

pub(super) fn description(text: &str) -> Result<Description, Failure> {
    Description::try_from(text).map_err(|error| Failure::invalid_argument("description", error))
}

/// A text that is not an id is the id of no todo.
pub(super) fn todo_id(text: &str) -> Result<TodoId, Failure> {
    text.parse().map_err(|_| not_found(text))
}

pub(super) fn expected_version(number: Option<Integer>) -> Result<Option<Version>, Failure> {
    number
        .map(|number| Version::try_from(i64::from(number)))
        .transpose()
        .map_err(|error| Failure::invalid_argument("expected_version", error))
}
