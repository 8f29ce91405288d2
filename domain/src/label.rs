//! Labels, and the set of them that a todo has.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::line::is_one_line;
use crate::visible::{has_direction_override, is_visible};
use crate::words::without_case;

/// What a todo belongs to, as written: 1 to 50 characters in one line, readable as a
/// [`Title`](crate::Title) is. Surrounding whitespace is removed.
///
/// Two labels that differ in case, Unicode form or invisible characters are the same label: see
/// [`Label::key`]. `==` compares them as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(Arc<str>);

/// What is the same for every way to write a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelKey(String);

/// Why a text is not a valid label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LabelError {
    #[error("must not be empty")]
    Empty,
    /// It has this many characters.
    #[error("must have at most {limit} characters, has {0}", limit = Label::MAX_CHARACTERS)]
    TooLong(usize),
    #[error("must be one line without control characters")]
    NotOneLine,
    #[error("must have a visible character")]
    Invisible,
    #[error("must not contain the direction overrides U+202D and U+202E")]
    DirectionOverride,
}

impl Label {
    /// Unicode scalar values.
    pub const MAX_CHARACTERS: usize = 50;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn key(&self) -> LabelKey {
        LabelKey(without_case(&self.0))
    }
}

impl LabelKey {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Label {
    type Error = LabelError;

    fn try_from(text: &str) -> Result<Self, LabelError> {
        let text = text.trim();
        let characters = text.chars().count();
        if text.is_empty() {
            Err(LabelError::Empty)
        } else if characters > Self::MAX_CHARACTERS {
            Err(LabelError::TooLong(characters))
        } else if !is_one_line(text) {
            Err(LabelError::NotOneLine)
        } else if !text.chars().any(is_visible) {
            Err(LabelError::Invisible)
        } else if has_direction_override(text) {
            Err(LabelError::DirectionOverride)
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The labels of a todo: at most 20, each once, in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels(Vec<Label>);

/// There are this many different labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a todo has at most {limit} labels, and these are {0}", limit = Labels::MAX)]
pub struct TooManyLabels(pub usize);

/// Why lines are not the labels of a todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LabelsError {
    #[error(transparent)]
    Label(#[from] LabelError),
    #[error(transparent)]
    TooMany(#[from] TooManyLabels),
}

impl Labels {
    pub const MAX: usize = 20;

    pub const NONE: Self = Self(Vec::new());

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Label> + Clone {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, key: &LabelKey) -> bool {
        self.iter().any(|label| label.key() == *key)
    }

    /// All labels as one text with a label on each line, as stores keep it. `None` if there are none.
    pub fn to_lines(&self) -> Option<String> {
        let texts: Vec<&str> = self.iter().map(Label::as_str).collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    /// The inverse of [`Labels::to_lines`].
    pub fn from_lines(lines: Option<&str>) -> Result<Self, LabelsError> {
        let Some(lines) = lines else { return Ok(Self::NONE) };
        let labels = lines.split('\n').map(Label::try_from).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::try_from(labels)?)
    }

    /// The bytes of [`Labels::to_lines`].
    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self.iter().map(|label| label.0.len()).sum();
        texts + self.0.len().saturating_sub(1)
    }

    /// The labels of `edit`, which this has the first spelling of.
    pub(crate) fn edited(&self, edit: LabelsEdit) -> Result<Self, TooManyLabels> {
        let spelled_as_before = |label: Label| {
            let key = label.key();
            self.iter().find(|old| old.key() == key).cloned().unwrap_or(label)
        };
        match edit {
            LabelsEdit::Replace(labels) => {
                Ok(Self(labels.0.into_iter().map(spelled_as_before).collect()))
            }
            LabelsEdit::Change { add, remove } => {
                let removed: Vec<LabelKey> = remove.iter().map(Label::key).collect();
                let kept = self.iter().filter(|label| !removed.contains(&label.key())).cloned();
                Self::try_from(kept.chain(add.0).collect::<Vec<_>>())
            }
        }
    }
}

/// A label that is repeated counts once, as it was written first.
impl TryFrom<Vec<Label>> for Labels {
    type Error = TooManyLabels;

    fn try_from(mut labels: Vec<Label>) -> Result<Self, TooManyLabels> {
        if labels.len() > 1 {
            let mut keys = Vec::with_capacity(labels.len());
            labels.retain(|label| {
                let key = label.key();
                let is_new = !keys.contains(&key);
                keys.push(key);
                is_new
            });
        }
        if labels.len() > Self::MAX { Err(TooManyLabels(labels.len())) } else { Ok(Self(labels)) }
    }
}

/// What to change about the labels of a todo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelsEdit {
    /// These and no others. One that the todo has keeps its spelling.
    Replace(Labels),
    /// Removes first, then adds, so that two writers who add or remove different labels both succeed.
    Change { add: Labels, remove: Labels },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(texts: &[&str]) -> Labels {
        let labels = texts.iter().map(|text| Label::try_from(*text).unwrap());
        Labels::try_from(labels.collect::<Vec<_>>()).unwrap()
    }

    fn change(add: &[&str], remove: &[&str]) -> LabelsEdit {
        LabelsEdit::Change { add: labels(add), remove: labels(remove) }
    }

    #[test]
    fn a_label_is_one_readable_trimmed_line() {
        assert_eq!(Label::try_from(" tax return ").unwrap().as_str(), "tax return");
        assert!(Label::try_from("ü".repeat(50).as_str()).is_ok());
        for (text, expected) in [
            ("", LabelError::Empty),
            (" \t", LabelError::Empty),
            ("ü".repeat(51).as_str(), LabelError::TooLong(51)),
            ("two\nlines", LabelError::NotOneLine),
            ("a\u{2028}b", LabelError::NotOneLine),
            ("\u{200b}", LabelError::Invisible),
            ("a\u{202e}b", LabelError::DirectionOverride),
        ] {
            assert_eq!(Label::try_from(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_label_is_the_same_whatever_its_case_and_unicode_form() {
        let several = labels(&["Café", "CAFE\u{301}", "cafe", "ca\u{ad}fé", "home", "ＨＯＭＥ"]);
        assert_eq!(several, labels(&["Café", "cafe", "home"]));
        assert!(several.contains(&Label::try_from("HOME").unwrap().key()));
        assert!(!several.contains(&Label::try_from("hom").unwrap().key()));
    }

    #[test]
    fn a_todo_has_at_most_20_labels() {
        let numbered = |count: usize| -> Vec<Label> {
            let texts = (0..count).map(|number| format!("label {number}"));
            texts.map(|text| Label::try_from(text.as_str()).unwrap()).collect()
        };
        let twenty = Labels::try_from(numbered(20)).unwrap();
        let error = Labels::try_from(numbered(21)).unwrap_err();
        assert_eq!(error.to_string(), "a todo has at most 20 labels, and these are 21");
        assert_eq!(twenty.edited(change(&["LABEL 7"], &[])), Ok(twenty.clone()));
        assert_eq!(twenty.edited(change(&["new"], &[])), Err(TooManyLabels(21)));
        assert!(twenty.edited(change(&["new"], &["Label 0"])).is_ok());
        let doubled = numbered(20).into_iter().chain(numbered(20)).collect::<Vec<_>>();
        assert_eq!(Labels::try_from(doubled), Ok(twenty));
    }

    #[test]
    fn labels_are_stored_as_lines() {
        for texts in [&[][..], &["Tax"], &["Tax", "tax return", "ü 😀"]] {
            let labels = labels(texts);
            let lines = labels.to_lines();
            assert_eq!(labels.bytes(), lines.as_ref().map_or(0, String::len));
            assert_eq!(Labels::from_lines(lines.as_deref()), Ok(labels));
        }
        assert_eq!(Labels::from_lines(Some("")), Err(LabelError::Empty.into()));
        assert_eq!(Labels::from_lines(Some("a\n\nb")), Err(LabelError::Empty.into()));
    }

    #[test]
    fn a_label_keeps_its_first_spelling() {
        let before = labels(&["Home", "Tax"]);
        let replaced = before.edited(LabelsEdit::Replace(labels(&["tax", "new", "home"])));
        assert_eq!(replaced, Ok(labels(&["Tax", "new", "Home"])));
        assert_eq!(before.edited(change(&["HOME"], &[])), Ok(before.clone()));
        assert_eq!(before.edited(change(&["HOME"], &["home"])), Ok(labels(&["Tax", "HOME"])));
        assert_eq!(before.edited(change(&[], &["other"])), Ok(before));
    }

    proptest! {
        #[test]
        fn changes_of_two_writers_to_different_labels_both_survive(
            old in "[a-d]{0,4}", one in "[e-h]{0,4}", other in "[i-l]{0,4}", gone in "[a-d]{0,2}",
        ) {
            let each = |text: &str| {
                let labels = text.chars().map(|c| Label::try_from(c.to_string().as_str()).unwrap());
                Labels::try_from(labels.collect::<Vec<_>>()).unwrap()
            };
            let add = |text: &str| LabelsEdit::Change { add: each(text), remove: Labels::NONE };
            let remove = LabelsEdit::Change { add: each(&other), remove: each(&gone) };
            let first = each(&old).edited(add(&one)).unwrap().edited(remove.clone()).unwrap();
            let second = each(&old).edited(remove).unwrap().edited(add(&one)).unwrap();
            let keys = |labels: &Labels| {
                let mut keys: Vec<LabelKey> = labels.iter().map(Label::key).collect();
                keys.sort();
                keys
            };
            prop_assert_eq!(keys(&first), keys(&second));
            for label in one.chars().chain(other.chars()) {
                prop_assert!(first.contains(&LabelKey(label.to_string())));
            }
        }
    }
}
