//! Searching for todos by their words.

use thiserror::Error;

use crate::todo::Todo;
use crate::words::ComparableText;

/// What a person looks for: words, each of which may be incomplete.
///
/// A todo matches if every word begins a word of its title, its description or one of its labels. Case, Unicode
/// form, accents and punctuation do not matter: see [`ComparableText`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(Vec<String>);

/// Why a text is not a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QueryError {
    /// It is empty, or has only punctuation and symbols.
    #[error("must have a letter or a digit")]
    NoWord,
    /// It has this many characters.
    #[error("must have at most {limit} characters, has {0}", limit = Query::MAX_CHARACTERS)]
    TooLong(usize),
    /// It has this many different words.
    #[error("must have at most {limit} different words, has {0}", limit = Query::MAX_WORDS)]
    TooManyWords(usize),
}

impl Query {
    /// Unicode scalar values.
    pub const MAX_CHARACTERS: usize = 200;
    /// Each ideograph is a word.
    pub const MAX_WORDS: usize = 32;

    /// The longest first, and none that begins another one. They are words of [`ComparableText`].
    pub fn words(&self) -> &[String] {
        &self.0
    }

    pub fn matches(&self, todo: &Todo) -> bool {
        let mut missing: Vec<&str> = self.0.iter().map(String::as_str).collect();
        for text in todo.record().texts() {
            let text = ComparableText::from(text);
            for word in text.words() {
                missing.retain(|sought| !word.starts_with(sought));
            }
            if missing.is_empty() {
                return true;
            }
        }
        false
    }
}

impl TryFrom<&str> for Query {
    type Error = QueryError;

    fn try_from(text: &str) -> Result<Self, QueryError> {
        let characters = text.chars().count();
        if characters > Self::MAX_CHARACTERS {
            return Err(QueryError::TooLong(characters));
        }
        let text = ComparableText::from(text);
        let mut words: Vec<&str> = text.words().collect();
        words.sort_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        let mut sought: Vec<String> = Vec::new();
        for word in words {
            if !sought.iter().any(|longer| longer.starts_with(word)) {
                sought.push(word.to_owned());
            }
        }
        match sought.len() {
            0 => Err(QueryError::NoWord),
            1..=Self::MAX_WORDS => Ok(Self(sought)),
            many => Err(QueryError::TooManyWords(many)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::tests::todo;

    #[test]
    fn every_word_begins_a_word_of_title_description_or_labels() {
        let todo = todo("Send the Tax return", "by régistered post", &["Big Deal", "Büro"]);
        for query in [
            "tax",
            "TAX RET",
            "ret tax",
            "regis",
            "büro",
            "buro",
            "dea big",
            "send post deal",
            "t, r!",
        ] {
            assert!(Query::try_from(query).unwrap().matches(&todo), "{query}");
        }
        for query in ["ax", "taxes", "tax return form", "bigdeal", "urn"] {
            assert!(!Query::try_from(query).unwrap().matches(&todo), "{query}");
        }
    }

    #[test]
    fn a_query_has_one_to_32_words() {
        let words = |text: &str| Query::try_from(text).map(|query| query.words().to_vec());
        assert_eq!(words("a tax Tax ta").unwrap(), ["tax", "a"]);
        for nothing in ["", " ", "!?", "🎉 …", "\u{301}", "\u{200b}"] {
            assert_eq!(words(nothing), Err(QueryError::NoWord), "{nothing:?}");
        }
        assert_eq!(words(&"x".repeat(200)).unwrap().len(), 1);
        assert_eq!(words(&"x".repeat(201)), Err(QueryError::TooLong(201)));
        assert_eq!(words(&"!".repeat(5_000)), Err(QueryError::TooLong(5_000)));
        let ideographs = |count| ('一'..).take(count).collect::<String>();
        assert_eq!(words(&ideographs(32)).unwrap().len(), 32);
        assert_eq!(words(&ideographs(33)), Err(QueryError::TooManyWords(33)));
    }
}
