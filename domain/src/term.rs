//! What an index of todos is by.

use std::ops::RangeInclusive;

use crate::due_filter::DueCondition;
use crate::label::{Label, LabelKey, Labels};
use crate::priority::Priority;
use crate::text::{Description, Title};
use crate::todo::Todo;
use crate::words::{ComparableText, without_case};

/// What an index leads from to a todo: the beginning of a word of its title, its description or a label, a
/// label as a whole, its priority, or when it is due. Terms are compared by code points.
///
/// An open todo that is due has four terms: of its day, and of the 4, the 16 and the 256 days among which that is; if it
/// is due at a time, also one of its day for such todos, as in another zone that may be another day. So all days before
/// one are a few terms. A done one has that of 256 days. Those of open and of done todos differ, and a todo of normal
/// priority that is not due has none of these terms.
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

/// Before the term of a priority or of days. No word begins with it.
const STATE: char = '+';

/// How many days have a term together, each a power of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Days {
    One,
    /// One, of what is due at a time of the day.
    OneOfTimes,
    Of4,
    Of16,
    Of256,
}

/// Of open or of done todos.
#[derive(Debug, Clone, Copy)]
struct State {
    is_done: bool,
}

/// Beyond every character of a term.
const LAST: char = char::MAX;

impl Term {
    /// All terms of a todo, sorted, each once.
    pub fn all_of(todo: &Todo) -> Vec<Self> {
        let mut terms = Self::of_texts(todo);
        // Their first character is before those of words and labels.
        terms.splice(0..0, Self::of_state(todo));
        terms
    }

    /// The words and labels among the terms of a todo.
    pub fn of_texts(todo: &Todo) -> Vec<Self> {
        let record = todo.record();
        let texts: Vec<_> = record.texts().map(ComparableText::from).collect();
        let mut words: Vec<_> =
            texts.iter().flat_map(ComparableText::words).map(start_of).collect();
        words.sort_unstable();
        words.dedup();
        let mut terms: Vec<_> = words.into_iter().map(|word| Self(word.into())).collect();
        terms.extend(record.labels.iter().map(Self::of_label));
        terms.sort_unstable();
        terms.dedup();
        terms
    }

    /// The priority and the days among the terms of a todo.
    pub fn of_state(todo: &Todo) -> Vec<Self> {
        let mut terms = Vec::new();
        let state = State { is_done: todo.completion().is_done() };
        if let Some(due) = todo.due() {
            let day = due.key().day_number();
            terms.push(state.term_of(Days::Of256, day));
            if !state.is_done {
                terms.push(state.term_of(Days::Of16, day));
                terms.push(state.term_of(Days::Of4, day));
                terms.push(state.term_of(Days::One, day));
                if due.at().is_some() {
                    terms.push(state.term_of(Days::OneOfTimes, day));
                }
            }
        }
        if todo.priority() != Priority::default() {
            terms.push(state.term_of_priority(todo.priority()));
        }
        terms.sort_unstable();
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

impl State {
    const OPEN: Self = Self { is_done: false };
    const DONE: Self = Self { is_done: true };

    /// Those of todos that are completed, or not, or of both.
    fn of(completed: Option<bool>) -> impl Iterator<Item = Self> {
        let is_wanted = move |state: &Self| completed.is_none_or(|it| it == state.is_done);
        [Self::OPEN, Self::DONE].into_iter().filter(is_wanted)
    }

    fn start(self) -> String {
        format!("{STATE}{}", if self.is_done { 'd' } else { 'o' })
    }

    fn term_of_priority(self, priority: Priority) -> Term {
        Term(format!("{}p{}", self.start(), priority.rank()).into())
    }

    /// Of the days among which a day is. They are in the order of days.
    fn term_of(self, days: Days, day: i64) -> Term {
        let (kind, number) = (days.kind(), day >> days.bits());
        Term(format!("{}{kind}{number:06x}", self.start()).into())
    }

    /// Of days from that of `start` to before that of `end`. `None` if there are none between.
    fn terms_of(self, days: Days, start: i64, end: i64) -> Option<TermRange> {
        let (start, end) = (start >> days.bits(), end >> days.bits());
        let term = |number: i64| self.term_of(days, number << days.bits());
        let all = || (start..end).rev().map(term).collect();
        let known = if end - start <= TermRange::MAX_KNOWN { all() } else { Box::default() };
        (start < end).then(|| TermRange { first: term(start), last: term(end - 1), known })
    }
}

impl Days {
    fn bits(self) -> u32 {
        match self {
            Self::One | Self::OneOfTimes => 0,
            Self::Of4 => 2,
            Self::Of16 => 4,
            Self::Of256 => 8,
        }
    }

    fn kind(self) -> char {
        match self {
            Self::One => '1',
            Self::OneOfTimes => 't',
            Self::Of4 => '2',
            Self::Of16 => '4',
            Self::Of256 => '8',
        }
    }

    /// The first day of the days among which a day is.
    fn first(self, day: i64) -> i64 {
        day >> self.bits() << self.bits()
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
        let changing = if texts(before) == texts(after) { Term::of_state } else { Term::all_of };
        let (mut removed, mut added) = (changing(before), changing(after));
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
    known: Box<[Term]>,
}

impl TermRange {
    const MAX_KNOWN: i64 = 16;

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

    /// Those of todos of a priority. `None` for the normal one, which has no term.
    pub fn of_priority(priority: Priority, completed: Option<bool>) -> Option<Vec<Self>> {
        let of_priority = |state: State| {
            let term = state.term_of_priority(priority);
            Self { known: Box::new([term.clone()]), first: term.clone(), last: term }
        };
        let has_term = priority != Priority::default();
        has_term.then(|| State::of(completed).map(of_priority).collect())
    }

    /// Those among which one is of each todo that meets a condition. `None` for what is not due, which has no
    /// term.
    pub fn of_due(condition: &DueCondition, completed: Option<bool>) -> Option<Vec<Self>> {
        if *condition == DueCondition::None {
            return None;
        }
        let ends = condition.first_days_after().map(|(day, time)| (day.number(), time.number()));
        let of_state = |state: State| {
            let Some((day, time)) = ends else {
                let start = format!("{}{}", state.start(), Days::Of256.kind());
                return vec![Self::between(start.clone(), format!("{start}{LAST}"))];
            };
            if state.is_done {
                return Vec::from_iter(state.terms_of(Days::Of256, 0, time + 255));
            }
            let [of_256, of_16, of_4] =
                [Days::Of256, Days::Of16, Days::Of4].map(|days| days.first(day));
            let ranges = [
                (Days::Of256, 0, of_256),
                (Days::Of16, of_256, of_16),
                (Days::Of4, of_16, of_4),
                (Days::One, of_4, day),
                (Days::OneOfTimes, day, time),
            ];
            ranges
                .into_iter()
                .filter_map(|(days, start, end)| state.terms_of(days, start, end))
                .collect()
        };
        Some(State::of(completed).flat_map(of_state).collect())
    }

    fn between(first: String, last: String) -> Self {
        Self { first: Term(first.into()), last: Term(last.into()), known: Box::default() }
    }

    pub fn first(&self) -> &Term {
        &self.first
    }

    pub fn last(&self) -> &Term {
        &self.last
    }

    /// All terms that can be in it, if these are known and few. A store that reads them need not look for them. Those of
    /// the latest days are first: of the days before, most todos are done.
    pub fn known(&self) -> Option<&[Term]> {
        Some(&*self.known).filter(|terms| !terms.is_empty())
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
pub(crate) mod tests;
