use todo_domain::{Action, Todo};

use super::Todos;
use crate::error::UseCaseError;
use crate::page::PageSize;
use crate::ports::{Filter, Principal};

/// How many pages of the caller's open todos are looked at, the oldest first, and how much text of
/// theirs, in bytes: whoever types the beginning of a title waits for the answer at each key.
const PAGES: usize = 5;
const BYTES: usize = 1024 * 1024;

/// With how many characters of an id somebody means it: its first digits are the time, and alike in
/// all.
const LEAST_OF_AN_ID: usize = 8;

/// The beginning of a title, as a person types it: matched without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl From<&str> for Prefix {
    fn from(typed: &str) -> Self {
        Self(typed.trim_start().to_lowercase())
    }
}

impl Prefix {
    /// How well a todo fits: 0 if its title begins so, or its id, of which that is enough to tell; 1
    /// if a later word of the title does.
    fn rank(&self, todo: &Todo) -> Option<usize> {
        let id = || todo.id().to_string().starts_with(&self.0);
        let title = todo.title().as_str().to_lowercase();
        if title.starts_with(&self.0) || (self.0.len() >= LEAST_OF_AN_ID && id()) {
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
    /// Whether there may be more: some are left out, or not all were looked at.
    pub more: bool,
}

impl Todos {
    /// At most `limit` open todos of the caller's workspace whose title begins with `prefix`, or has
    /// a word that does, out of the first 1,000, or fewer where they are long.
    pub async fn suggest(
        &self,
        principal: &dyn Principal,
        prefix: &Prefix,
        limit: usize,
    ) -> Result<Suggestions, UseCaseError> {
        let permit = self.permit(principal, Action::List)?;
        let open = Filter { completed: Some(false) };
        let (mut best, mut others) = (Vec::new(), Vec::new());
        let (mut after, mut bytes, mut complete) = (None, 0, false);
        for _ in 0..PAGES {
            let workspace = permit.workspace();
            let page = self.repository.list(workspace, open, after, PageSize::MAX).await?;
            complete = page.len() < PageSize::MAX;
            after = page.last().map(Todo::id);
            for todo in page {
                bytes += todo.description().as_deref().map_or(0, str::len);
                match prefix.rank(&todo) {
                    Some(0) => best.push(todo),
                    Some(_) => others.push(todo),
                    None => {}
                }
            }
            if complete || best.len() > limit || bytes > BYTES {
                break;
            }
        }
        let more = !complete || best.len() + others.len() > limit;
        let todos = best.into_iter().chain(others).take(limit).collect();
        Ok(Suggestions { todos, more })
    }
}

#[cfg(test)]
mod tests {
    use todo_domain::{
        Completion, Description, Instant, Subject, Title, TodoId, TodoRecord, Version, WorkspaceId,
    };

    use super::*;

    fn todo(title: &str) -> Todo {
        let subject = Subject::try_from("usr_1").unwrap();
        Todo::restore(TodoRecord {
            id: TodoId::from_bytes([0xab; 16]),
            workspace: WorkspaceId::try_from("mine").unwrap(),
            title: Title::try_from(title).unwrap(),
            description: Description::NONE,
            completion: Completion::Open,
            created_at: Instant::UNIX_EPOCH,
            created_by: subject.clone(),
            updated_at: Instant::UNIX_EPOCH,
            updated_by: subject,
            version: Version::FIRST,
        })
        .unwrap()
    }

    #[test]
    fn a_todo_fits_by_the_beginning_of_its_title_or_of_a_word_or_by_much_of_its_id() {
        let rank = |typed: &str| Prefix::from(typed).rank(&todo("Buy Öl  and milk"));
        for typed in ["", "b", "buy ö", " BUY", "Buy Öl  and milk", "abababab", "ABABABAB-AB"] {
            assert_eq!(rank(typed), Some(0), "{typed:?}");
        }
        for typed in ["ö", "AND m", "milk"] {
            assert_eq!(rank(typed), Some(1), "{typed:?}");
        }
        for typed in ["uy", "l", "buy milk", "milky", "abababa", "babababa"] {
            assert_eq!(rank(typed), None, "{typed:?}");
        }
    }
}
