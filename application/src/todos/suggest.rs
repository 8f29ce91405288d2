use todo_domain::{Action, Todo};

use super::Todos;
use crate::error::UseCaseError;
use crate::page::PageSize;
use crate::ports::{Filter, Principal};

/// How many of the caller's open todos are looked at, the oldest first. Who types the beginning of a
/// title waits for the answer, and has it from a list of this length at once.
const LOOKED_AT: usize = 5 * PageSize::MAX;

/// The beginning of a title, as a person types it: matched without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl From<&str> for Prefix {
    fn from(typed: &str) -> Self {
        Self(typed.trim_start().to_lowercase())
    }
}

impl Prefix {
    /// How well a title fits: 0 if it begins so, 1 if a later word of it does.
    fn rank(&self, title: &str) -> Option<usize> {
        let title = title.to_lowercase();
        if title.starts_with(&self.0) {
            return Some(0);
        }
        let mut words = title.match_indices(char::is_whitespace);
        words.any(|(at, space)| title[at + space.len()..].starts_with(&self.0)).then_some(1)
    }
}

/// Todos that somebody may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestions {
    /// The best first: titles that begin as typed, then those with a later word that does; the
    /// oldest first among equals.
    pub todos: Vec<Todo>,
    /// Whether there may be more than these.
    pub more: bool,
}

impl Todos {
    /// At most `limit` open todos of the caller's workspace whose title begins with `prefix`, or has
    /// a word that does, out of the first 1,000.
    pub async fn suggest(
        &self,
        principal: &dyn Principal,
        prefix: &Prefix,
        limit: usize,
    ) -> Result<Suggestions, UseCaseError> {
        let permit = self.permit(principal, Action::List)?;
        let open = Filter { completed: Some(false) };
        let listed = self.repository.list(permit.workspace(), open, None, LOOKED_AT).await?;
        let complete = listed.len() < LOOKED_AT;

        let mut fitting: Vec<(usize, Todo)> = listed
            .into_iter()
            .filter_map(|todo| Some((prefix.rank(todo.title().as_str())?, todo)))
            .collect();
        fitting.sort_by_key(|(rank, _)| *rank);
        let more = fitting.len() > limit || !complete;
        let todos = fitting.into_iter().take(limit).map(|(_, todo)| todo).collect();
        Ok(Suggestions { todos, more })
    }
}

#[cfg(test)]
mod tests {
    use super::Prefix;

    #[test]
    fn a_title_fits_by_its_beginning_or_by_that_of_a_word() {
        let rank = |typed: &str| Prefix::from(typed).rank("Buy Öl  and milk");
        for typed in ["", "b", "buy ö", " BUY", "Buy Öl  and milk"] {
            assert_eq!(rank(typed), Some(0), "{typed:?}");
        }
        for typed in ["ö", "AND m", "milk"] {
            assert_eq!(rank(typed), Some(1), "{typed:?}");
        }
        for typed in ["uy", "l", "buy milk", "milky"] {
            assert_eq!(rank(typed), None, "{typed:?}");
        }
    }
}
