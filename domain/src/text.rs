//! The texts of a todo.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::line::{has_control_character, is_one_line};
use crate::visible::{has_direction_override, is_visible};

/// What is to be done, in one line: 1 to 500 characters without line breaks and control characters.
///
/// Surrounding whitespace is removed. The limit counts Unicode scalar values, not bytes. A new title
/// must also be readable: see [`TitleError::Invisible`] and [`TitleError::DirectionOverride`]. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Title(Arc<str>);

/// Why a text is not a valid title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TitleError {
    /// It consists of whitespace, or of nothing.
    #[error("must not be empty")]
    Empty,
    /// It has this many characters.
    #[error("must have at most {limit} characters, has {0}", limit = Title::MAX_CHARACTERS)]
    TooLong(usize),
    /// It has a line break, which U+2028 and U+2029 are too, or another control character.
    #[error("must be one line without control characters")]
    NotOneLine,
    /// It consists of whitespace and invisible characters, such as U+200B. Among visible ones they are
    /// allowed: emoji and many scripts need them.
    #[error("must have a visible character")]
    Invisible,
    /// It contains U+202D or U+202E, which display characters in another order than they are stored:
    /// what a person approves would not be what an assistant reads. Other directional marks are
    /// allowed, as keyboards insert them.
    #[error("must not contain the direction overrides U+202D and U+202E")]
    DirectionOverride,
}

impl Title {
    pub const MAX_CHARACTERS: usize = 500;

    /// Reads a stored title, checking the rules that have held for every title.
    ///
    /// The rules for readable titles came later, as did the one for U+2028 and U+2029. They are not
    /// checked, so that a todo that was accepted before them can still be loaded.
    pub fn restore(text: &str) -> Result<Self, TitleError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TitleError::Empty);
        }
        let characters = text.chars().count();
        if characters > Self::MAX_CHARACTERS {
            return Err(TitleError::TooLong(characters));
        }
        if has_control_character(text, "") {
            return Err(TitleError::NotOneLine);
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for Title {
    type Error = TitleError;

    /// Parses a new title.
    fn try_from(text: &str) -> Result<Self, TitleError> {
        let title = Self::restore(text)?;
        if !is_one_line(&title.0) {
            return Err(TitleError::NotOneLine);
        }
        if !title.0.chars().any(is_visible) {
            return Err(TitleError::Invisible);
        }
        if has_direction_override(&title.0) {
            return Err(TitleError::DirectionOverride);
        }
        Ok(title)
    }
}

impl fmt::Display for Title {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Details of a todo: up to 16 KiB of text, kept verbatim. An empty text means no description.
///
/// Line breaks and tabs are allowed, other control characters (terminal escapes, NUL) are not. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Description(Option<Arc<str>>);

/// Why a text is not a valid description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DescriptionError {
    /// It has this many bytes.
    #[error("must have at most {limit} bytes, has {0}", limit = Description::MAX_BYTES)]
    TooLong(usize),
    #[error("must not contain control characters other than line breaks and tabs")]
    ControlCharacter,
}

impl Description {
    /// Of UTF-8.
    pub const MAX_BYTES: usize = 16 * 1024;

    pub const NONE: Self = Self(None);

    /// Never the empty text.
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl TryFrom<&str> for Description {
    type Error = DescriptionError;

    fn try_from(text: &str) -> Result<Self, DescriptionError> {
        if text.len() > Self::MAX_BYTES {
            return Err(DescriptionError::TooLong(text.len()));
        }
        if has_control_character(text, "\n\r\t") {
            return Err(DescriptionError::ControlCharacter);
        }
        Ok(if text.is_empty() { Self::NONE } else { Self(Some(text.into())) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_title_is_one_trimmed_line() {
        assert_eq!(Title::try_from("  Buy milk \n").unwrap().as_str(), "Buy milk");
        assert_eq!(Title::try_from(" \t\n "), Err(TitleError::Empty));
        assert_eq!(Title::try_from("two\nlines"), Err(TitleError::NotOneLine));
        assert_eq!(Title::try_from("esc\u{1b}[31m"), Err(TitleError::NotOneLine));
    }

    #[test]
    fn the_length_of_a_title_is_counted_in_characters() {
        assert!(Title::try_from("ü".repeat(500).as_str()).is_ok());
        assert_eq!(Title::try_from("ü".repeat(501).as_str()), Err(TitleError::TooLong(501)));
        assert_eq!(
            TitleError::TooLong(501).to_string(),
            "must have at most 500 characters, has 501"
        );
    }

    #[test]
    fn a_new_title_must_be_visible() {
        for text in ["\u{200b}", " \u{200d} \u{feff} ", "\u{3164}\u{2800}", "\u{ad}", "\u{e0041}"] {
            assert_eq!(Title::try_from(text), Err(TitleError::Invisible), "{text:?}");
            assert_eq!(Title::restore(text).unwrap().as_str(), text.trim(), "{text:?}");
        }
        // A family joined by U+200D, a heart made red by U+FE0F, Persian with U+200C, soft hyphen.
        for text in ["👨\u{200d}👩\u{200d}👧", "❤\u{fe0f}", "می\u{200c}خواهم", "to\u{ad}do", "."]
        {
            assert_eq!(Title::try_from(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_new_title_has_no_line_separator_and_a_stored_one_is_still_read() {
        for text in ["one\u{2028}two", "one\u{2029}two"] {
            assert_eq!(Title::try_from(text), Err(TitleError::NotOneLine), "{text:?}");
            assert_eq!(Title::restore(text).unwrap().as_str(), text);
        }
        // Around a title they are whitespace like any other.
        assert_eq!(Title::try_from("\u{2028}one\u{2029}\u{85}").unwrap().as_str(), "one");
        assert_eq!(Title::try_from("one\u{85}two"), Err(TitleError::NotOneLine));
    }

    #[test]
    fn a_new_title_must_not_override_the_direction() {
        for text in ["pay \u{202e}001", "\u{202d}pay 100\u{202c}"] {
            assert_eq!(Title::try_from(text), Err(TitleError::DirectionOverride), "{text:?}");
            assert_eq!(Title::restore(text).unwrap().as_str(), text);
        }
        // Keyboards and address books insert these around a number or a name in another direction.
        for text in ["call \u{202a}+1 555 0100\u{202c}", "\u{2068}שלום\u{2069} world", "a\u{200e}b"]
        {
            assert_eq!(Title::try_from(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_empty_description_is_none() {
        assert_eq!(Description::try_from("").unwrap(), Description::NONE);
        assert_eq!(Description::NONE.as_deref(), None);
        assert_eq!(Description::try_from(" ").unwrap().as_deref(), Some(" "));
    }

    #[test]
    fn a_description_may_have_lines_but_no_terminal_escapes() {
        assert!(Description::try_from("one\r\n\ttwo").is_ok());
        assert_eq!(Description::try_from("\u{1b}[2J"), Err(DescriptionError::ControlCharacter));
        let longest = "x".repeat(Description::MAX_BYTES);
        assert!(Description::try_from(longest.as_str()).is_ok());
        assert_eq!(
            Description::try_from(format!("{longest}x").as_str()),
            Err(DescriptionError::TooLong(16_385))
        );
    }

    proptest! {
        #[test]
        fn parsing_a_title_again_changes_nothing(text in any::<String>()) {
            if let Ok(title) = Title::try_from(text.as_str()) {
                prop_assert_eq!(Title::try_from(title.as_str()), Ok(title.clone()));
                prop_assert_eq!(Title::restore(title.as_str()), Ok(title.clone()));
                prop_assert_eq!(title.as_str(), title.as_str().trim());
                let characters = title.as_str().chars().count();
                prop_assert!((1..=Title::MAX_CHARACTERS).contains(&characters));
            }
        }

        #[test]
        fn a_title_needs_one_visible_character(
            before in "[ \u{200b}\u{200d}\u{2800}\u{3164}\u{feff}]{0,9}",
            visible in any::<char>().prop_filter("visible", |c| is_visible(*c) && !c.is_control()),
            after in "[ \u{200b}\u{200d}\u{2800}\u{3164}\u{feff}]{0,9}",
        ) {
            let text = format!("{before}{visible}{after}");
            let seen = Title::try_from(text.as_str());
            prop_assert!(seen.is_ok(), "{:?}", seen);
            let unseen = Title::try_from([before, after].concat().as_str());
            prop_assert!(matches!(unseen, Err(TitleError::Empty | TitleError::Invisible)));
        }

        #[test]
        fn a_description_is_kept_verbatim(text in any::<String>()) {
            if let Ok(description) = Description::try_from(text.as_str()) {
                prop_assert_eq!(description.as_deref().unwrap_or_default(), text);
            }
        }
    }
}
