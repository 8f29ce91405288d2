use todo_domain::{ComparableText, ReadAction, Todo};

use super::use_cases::Todos;
use crate::error::{StorageFailure, SuggestError};
use crate::page::PageSize;
use crate::ports::{Filter, Principal};

/// How many pages of the caller's open todos are searched, the oldest first, how many bytes of titles are
/// compared, and how many of descriptions are loaded for it: a person who types a title waits for the
/// answer after each key, and so do others.
const PAGES: usize = 5;
const TITLE_BYTES: usize = 64 * 1024;
const BYTES: usize = 1024 * 1024;

/// The shortest prefix that is compared with ids: they begin with the time, so shorter ones would match
/// many.
const MIN_ID_PREFIX: usize = 8;

/// The beginning of a title or of a word in it, as a person types it. Unicode form, case and punctuation
/// do not matter: see [`ComparableText`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    comparable: ComparableText,
    /// Its words, the last of which may be incomplete.
    words: Vec<String>,
}

impl From<&str> for Prefix {
    fn from(typed: &str) -> Self {
        let comparable = ComparableText::from(typed.trim_start());
        let words = comparable.words().map(str::to_owned).collect();
        Self { comparable, words }
    }
}

impl Prefix {
    /// How well a todo matches: 0 if its title begins with the prefix, or its id if the prefix is long
    /// enough; 1 if the title has the words of the prefix further on.
    fn rank(&self, todo: &Todo) -> Option<usize> {
        let typed = self.comparable.as_str();
        let title = ComparableText::from(todo.title().as_str());
        let id = || todo.id().to_string().starts_with(typed);
        if title.as_str().starts_with(typed) || (typed.len() >= MIN_ID_PREFIX && id()) {
            return Some(0);
        }
        let (last, complete) = self.words.split_last()?;
        let words: Vec<&str> = title.words().collect();
        let position = words.windows(self.words.len()).position(|found| {
            let (found_last, found_complete) = found.split_last().unwrap_or((&"", &[]));
            found_complete == complete && found_last.starts_with(last.as_str())
        });
        position.map(|position| position.min(1))
    }
}

/// Todos that match a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestions {
    /// Best first: titles that begin with the prefix, then those that have it further on. Among equals,
    /// oldest first.
    pub todos: Vec<Todo>,
    /// Whether there may be more: some are left out, or not all todos were searched.
    pub more: bool,
    /// How many bytes of todos were looked at.
    pub bytes: usize,
}

impl Todos {
    /// Returns at most `limit` open todos of the caller's workspace whose title, or a word of it,
    /// begins with `prefix`. Searches the first 1,000, or fewer where they are long: of titles at most
    /// 64 KiB are compared.
    pub async fn suggest(
        &self,
        principal: &dyn Principal,
        prefix: &Prefix,
        limit: usize,
    ) -> Result<Suggestions, SuggestError> {
        let permit = self.permit_to_read(principal, ReadAction::List)?;
        let open = Filter { completed: Some(false) };
        let (mut best, mut others) = (Vec::new(), Vec::new());
        let (mut after, mut titles, mut descriptions, mut complete) = (None, 0, 0, false);
        'search: for _ in 0..PAGES {
            let page = self.repository.list(&permit, open, after, PageSize::MAX).await;
            let page = page.map_err(StorageFailure::from)?;
            complete = page.len() < PageSize::MAX;
            after = page.last().map(Todo::id);
            for todo in page {
                titles += todo.title().as_str().len();
                descriptions += todo.description().as_deref().map_or(0, str::len);
                if titles > TITLE_BYTES {
                    complete = false;
                    break 'search;
                }
                match prefix.rank(&todo) {
                    Some(0) => best.push(todo),
                    Some(_) => others.push(todo),
                    None => {}
                }
            }
            if complete || best.len() > limit || descriptions > BYTES {
                break;
            }
        }
        let more = !complete || best.len() + others.len() > limit;
        let todos = best.into_iter().chain(others).take(limit).collect();
        Ok(Suggestions { todos, more, bytes: titles + descriptions })
    }
}

#[cfg(test)]
mod tests {
    use todo_domain::{
        Completion, Description, Instant, Labels, Priority, Subject, Title, TodoId, TodoRecord,
        Version, WorkspaceId,
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
            due: None,
            priority: Priority::Normal,
            labels: Labels::NONE,
            created_at: Instant::UNIX_EPOCH,
            created_by: subject.clone(),
            updated_at: Instant::UNIX_EPOCH,
            updated_by: subject,
            version: Version::FIRST,
        })
        .unwrap()
    }

    #[test]
    fn a_prefix_matches_the_title_a_word_of_it_or_the_id() {
        let rank = |typed: &str| Prefix::from(typed).rank(&todo("Buy Öl  and milk"));
        for typed in ["", "b", "buy ö", " BUY", "Buy Öl  and milk", "abababab", "ABABABAB-AB"] {
            assert_eq!(rank(typed), Some(0), "{typed:?}");
        }
        for typed in ["ö", "AND m", "milk"] {
            assert_eq!(rank(typed), Some(1), "{typed:?}");
        }
        for typed in ["uy", "l", "buy milk", "milky", "abababa", "babababa", "milk buy"] {
            assert_eq!(rank(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn unicode_form_case_and_punctuation_do_not_matter() {
        for (typed, title, expected) in [
            ("cafe\u{301}", "Café opens at 9", Some(0)),
            ("café", "Cafe\u{301}", Some(0)),
            ("CAFE", "The café", Some(1)),
            ("\u{1112}\u{1161}\u{11ab}", "한글 공부", Some(0)),
            ("한", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}", Some(0)),
            ("call", "(Call) mum", Some(0)),
            ("call mum", "(Call) mum", Some(0)),
            ("(call", "(Call) mum", Some(0)),
            ("\"mum", "Call mum", Some(1)),
            ("mum", "Call – «mum»", Some(1)),
            ("strasse", "Straße fegen", Some(0)),
            ("ａｂ", "abc", Some(0)),
            ("牛", "買牛乳", Some(1)),
            ("🎉", "🎉 Party", Some(0)),
            ("party", "🎉 Party", Some(0)),
            ("🎉", "Party", None),
            ("-", "Party", None),
        ] {
            assert_eq!(Prefix::from(typed).rank(&todo(title)), expected, "{typed:?} {title:?}");
        }
    }
}
