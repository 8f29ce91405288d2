//! What an index of todos is by.

use std::ops::RangeInclusive;

use crate::label::{Label, LabelKey, Labels};
use crate::text::{Description, Title};
use crate::todo::Todo;
use crate::words::{ComparableText, without_case};

/// What an index leads from to a todo: the beginning of a word of its title, its description or a label, or a
/// label as a whole. Terms are compared by code points.
///
/// They are a preselection: what is found by a term has to be looked at. What the terms of a todo are must not
/// change without a migration that computes those of all todos anew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(Box<str>);

/// The characters of a word or a label that make a difference in a term, so that an index can hold it.
const CHARACTERS: usize = 64;

/// Before the term of a label. No word begins with it.
const LABEL: char = '=';

/// Between the key of a label and its spelling. Neither contains it.
const SPELLED: char = '\u{1}';

/// Beyond every character of a term.
const LAST: char = char::MAX;

impl Term {
    /// All terms of a todo, sorted, each once.
    pub fn all_of(todo: &Todo) -> Vec<Self> {
        let record = todo.record();
        let mut terms = Vec::new();
        let mut add_words = |text: &str| {
            let text = ComparableText::from(text);
            terms.extend(text.words().map(|word| Self(start_of(word).into())));
        };
        add_words(record.title.as_str());
        record.description.as_deref().into_iter().for_each(&mut add_words);
        record.labels.iter().map(Label::as_str).for_each(&mut add_words);
        terms.extend(record.labels.iter().map(Self::of_label));
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    fn of_label(label: &Label) -> Self {
        let (key, spelled) = (label.key(), label.as_str());
        Self(format!("{LABEL}{}{SPELLED}{spelled}", start_of(key.as_str())).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The label whose term this is, as it is written.
    pub fn label(&self) -> Option<Label> {
        let (_, spelled) = self.0.strip_prefix(LABEL)?.split_once(SPELLED)?;
        Label::try_from(spelled).ok()
    }
}

/// What a store has been given.
impl From<&str> for Term {
    fn from(stored: &str) -> Self {
        Self(stored.into())
    }
}

/// The terms that a change takes from a todo, and those that it gives to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermChange {
    /// Sorted.
    pub removed: Vec<Term>,
    /// Sorted.
    pub added: Vec<Term>,
}

impl TermChange {
    /// Of a new todo.
    pub fn adding(todo: &Todo) -> Self {
        Self { removed: Vec::new(), added: Term::all_of(todo) }
    }

    /// Of a todo that is removed.
    pub fn removing(todo: &Todo) -> Self {
        Self { removed: Term::all_of(todo), added: Vec::new() }
    }

    /// Of a todo that was `before` and is `after`.
    pub fn between(before: &Todo, after: &Todo) -> Self {
        fn texts(todo: &Todo) -> (&Title, &Description, &Labels) {
            (todo.title(), todo.description(), todo.labels())
        }
        if texts(before) == texts(after) {
            return Self::default();
        }
        let (mut removed, mut added) = (Term::all_of(before), Term::all_of(after));
        let kept: Vec<Term> =
            removed.iter().filter(|term| added.binary_search(term).is_ok()).cloned().collect();
        removed.retain(|term| kept.binary_search(term).is_err());
        added.retain(|term| kept.binary_search(term).is_err());
        Self { removed, added }
    }
}

/// Neighbouring terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermRange {
    first: Term,
    last: Term,
}

impl TermRange {
    /// Those of words that begin with a word of a [query](crate::Query).
    pub fn of_word(word: &str) -> Self {
        let word = start_of(word);
        Self::between(word.to_owned(), format!("{word}{LAST}"))
    }

    /// Those of a label, however it is written.
    pub fn of_label(key: &LabelKey) -> Self {
        let key = start_of(key.as_str());
        Self::between(format!("{LABEL}{key}{SPELLED}"), format!("{LABEL}{key}{SPELLED}{LAST}"))
    }

    /// Those of labels that begin with what a person has typed.
    pub fn of_labels(typed: &str) -> Self {
        let key = without_case(typed.trim_start());
        let key = start_of(&key);
        Self::between(format!("{LABEL}{key}"), format!("{LABEL}{key}{LAST}"))
    }

    fn between(first: String, last: String) -> Self {
        Self { first: Term(first.into()), last: Term(last.into()) }
    }

    pub fn first(&self) -> &Term {
        &self.first
    }

    pub fn last(&self) -> &Term {
        &self.last
    }

    /// Inclusive on both ends.
    pub fn bounds(&self) -> RangeInclusive<&Term> {
        &self.first..=&self.last
    }
}

fn start_of(text: &str) -> &str {
    text.char_indices().nth(CHARACTERS).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::Query;
    use crate::{Completion, Instant, Priority, Subject, TodoId, TodoRecord, Version, WorkspaceId};

    pub(crate) fn todo(title: &str, description: &str, labels: &[&str]) -> Todo {
        let subject = Subject::try_from("usr_1").unwrap();
        let labels = labels.iter().map(|label| Label::try_from(*label).unwrap());
        Todo::restore(TodoRecord {
            id: TodoId::from_bytes([1; 16]),
            workspace: WorkspaceId::try_from("mine").unwrap(),
            title: Title::try_from(title).unwrap(),
            description: Description::try_from(description).unwrap(),
            completion: Completion::Open,
            due: None,
            priority: Priority::Normal,
            labels: Labels::try_from(labels.collect::<Vec<_>>()).unwrap(),
            created_at: Instant::UNIX_EPOCH,
            created_by: subject.clone(),
            updated_at: Instant::UNIX_EPOCH,
            updated_by: subject,
            version: Version::FIRST,
        })
        .unwrap()
    }

    fn is_found(todo: &Todo, range: &TermRange) -> bool {
        Term::all_of(todo).iter().any(|term| range.bounds().contains(&term))
    }

    #[test]
    fn the_terms_of_a_todo_are_its_words_and_its_labels() {
        let todo = todo("Send the tax, the TAX", "Büro", &["Tax return", "ß"]);
        let terms: Vec<_> = Term::all_of(&todo).iter().map(|it| it.as_str().to_owned()).collect();
        let expected = [
            "=ss\u{1}ß",
            "=tax return\u{1}Tax return",
            "buro",
            "return",
            "send",
            "ss",
            "tax",
            "the",
        ];
        assert_eq!(terms, expected);
    }

    #[test]
    fn a_label_is_found_however_it_is_written_and_no_other_is() {
        let todo = todo("x", "", &["Straße"]);
        let key = |label: &str| Label::try_from(label).unwrap().key();
        assert!(is_found(&todo, &TermRange::of_label(&key("STRASSE"))));
        assert!(!is_found(&todo, &TermRange::of_label(&key("Strass"))));
        assert!(!is_found(&todo, &TermRange::of_label(&key("Strassen"))));
        for typed in ["", "s", " STRASS", "straße"] {
            assert!(is_found(&todo, &TermRange::of_labels(typed)), "{typed}");
        }
        assert!(!is_found(&todo, &TermRange::of_labels("trasse")));
        assert!(!is_found(&todo, &TermRange::of_labels("x")));
        let terms = Term::all_of(&todo);
        let labels: Vec<_> = terms.iter().filter_map(Term::label).collect();
        assert_eq!(labels, [Label::try_from("Straße").unwrap()]);
    }

    #[test]
    fn no_term_is_longer_than_an_index_takes() {
        let widest = "\u{fdfa}".repeat(50);
        let todo = todo(&"\u{1d160}".repeat(200), &"x".repeat(5_000), &[&widest]);
        for term in Term::all_of(&todo) {
            assert!(term.as_str().len() <= 2 + 4 * (CHARACTERS + Label::MAX_CHARACTERS));
        }
    }

    fn text() -> impl Strategy<Value = String> {
        let word =
            prop_oneof!["[a-c]{1,3}", "[äßçÀ]{1,2}", "[一二]", Just("x".repeat(70)), ".{1,4}"];
        proptest::collection::vec(word, 1..4).prop_map(|words| words.join(" "))
    }

    proptest! {
        #[test]
        fn what_a_query_matches_is_found_by_each_of_its_words(
            title in text(), description in text(), sought in text(),
        ) {
            prop_assume!(Title::try_from(title.as_str()).is_ok());
            prop_assume!(Description::try_from(description.as_str()).is_ok());
            let todo = todo(&title, &description, &[]);
            if let Ok(query) = Query::try_from(sought.as_str()) {
                let found = |word: &String| is_found(&todo, &TermRange::of_word(word));
                // Only of words that are cut, more is found than matches.
                let are_whole = !title.contains("xxx") && !description.contains("xxx");
                if query.matches(&todo) || are_whole {
                    prop_assert_eq!(query.matches(&todo), query.words().iter().all(found));
                }
            }
        }

        #[test]
        fn a_change_of_terms_leads_from_those_before_to_those_after(
            before in text(), after in text(),
        ) {
            prop_assume!(Title::try_from(before.as_str()).is_ok());
            prop_assume!(Title::try_from(after.as_str()).is_ok());
            let (before, after) = (todo(&before, "", &["a"]), todo(&after, "a", &["b"]));
            let TermChange { removed, added } = TermChange::between(&before, &after);
            let mut terms = Term::all_of(&before);
            prop_assert!(removed.iter().all(|term| terms.contains(term)));
            prop_assert!(added.iter().all(|term| !terms.contains(term)));
            terms.retain(|term| !removed.contains(term));
            terms.extend(added);
            terms.sort_unstable();
            prop_assert_eq!(terms, Term::all_of(&after));
            prop_assert_eq!(TermChange::between(&after, &after), TermChange::default());
        }
    }
}
