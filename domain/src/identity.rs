//! Identifiers that others assign: an authorization server to people, organizations and clients, and a
//! client to its requests.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::line::{has_control_character, is_one_line};

/// Why a text is not a valid identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdentifierError {
    #[error("must not be empty")]
    Empty,
    /// It is longer than the type allows. Both lengths are in bytes.
    #[error("must have at most {limit} bytes, has {actual}")]
    TooLong { limit: usize, actual: usize },
    /// No issuer uses line breaks or control characters, and they would corrupt logs.
    #[error("must be one line without control characters")]
    NotOneLine,
}

fn check(text: &str, limit: usize) -> Result<(), IdentifierError> {
    check_length(text, limit)?;
    if is_one_line(text) { Ok(()) } else { Err(IdentifierError::NotOneLine) }
}

fn check_length(text: &str, limit: usize) -> Result<(), IdentifierError> {
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    if text.len() > limit {
        return Err(IdentifierError::TooLong { limit, actual: text.len() });
    }
    Ok(())
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $limit:literal) => {
        $(#[$doc])*
        ///
        /// Opaque: compared byte for byte, never parsed further. Cheap to clone.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub const MAX_BYTES: usize = $limit;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdentifierError;

            fn try_from(text: &str) -> Result<Self, IdentifierError> {
                check(text, Self::MAX_BYTES)?;
                Ok(Self(text.into()))
            }
        }

        /// Takes over a text that is shared already, without copying it.
        impl TryFrom<Arc<str>> for $name {
            type Error = IdentifierError;

            fn try_from(text: Arc<str>) -> Result<Self, IdentifierError> {
                check(&text, Self::MAX_BYTES)?;
                Ok(Self(text))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// A person or a machine that acts: the `sub` claim.
    /// OpenID Connect Core section 2 limits it to 255 characters.
    Subject, 255
}

impl Subject {
    /// The operator of the server, as the author of changes that no caller made.
    pub fn operator() -> Self {
        Self("operator".into())
    }

    /// Reads a stored subject, checking the rules that have held for every one: U+2028 and U+2029 were
    /// allowed once.
    pub fn restore(text: &str) -> Result<Self, IdentifierError> {
        check_length(text, Self::MAX_BYTES)?;
        if has_control_character(text, "") {
            return Err(IdentifierError::NotOneLine);
        }
        Ok(Self(text.into()))
    }
}

identifier! {
    /// The organization that a subject acts for.
    Organization, 255
}

identifier! {
    /// The OAuth client that acts for the subject: an issued id, or the https URL of a client ID
    /// metadata document.
    ClientId, 2048
}

identifier! {
    /// A key that a client chooses to make a create safe to retry. It belongs to the
    /// [caller](crate::CallerId), who can use it again after 24 hours.
    IdempotencyKey, 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_kept_byte_for_byte() {
        assert_eq!(Subject::try_from("usr_1:/ü").unwrap().as_str(), "usr_1:/ü");
        let shared: Arc<str> = "usr_1:/ü".into();
        let subject = Subject::try_from(Arc::clone(&shared)).unwrap();
        assert!(Arc::ptr_eq(&subject.0, &shared));
    }

    #[test]
    fn empty_long_and_control_characters_are_rejected() {
        assert_eq!(Subject::try_from(""), Err(IdentifierError::Empty));
        assert_eq!(Organization::try_from("org\n1"), Err(IdentifierError::NotOneLine));
        assert_eq!(
            Subject::try_from("s".repeat(256).as_str()),
            Err(IdentifierError::TooLong { limit: 255, actual: 256 })
        );
        assert!(ClientId::try_from("c".repeat(2048).as_str()).is_ok());
        for text in ["a\u{2028}b", "a\u{2029}b", "a\u{85}b"] {
            assert_eq!(IdempotencyKey::try_from(text), Err(IdentifierError::NotOneLine));
        }
        assert_eq!(Subject::restore("a\u{2028}b").unwrap().as_str(), "a\u{2028}b");
        assert_eq!(Subject::restore("a\nb"), Err(IdentifierError::NotOneLine));
        assert_eq!(Subject::try_from(Arc::from("")), Err(IdentifierError::Empty));
    }
}
