//! Names that others give: an authorization server to people, organizations and clients, and a client
//! to its requests.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::text::has_control_character;

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdentifierError {
    /// It has no characters.
    #[error("must not be empty")]
    Empty,
    /// It is longer than the type allows.
    #[error("must have at most {limit} bytes, has {actual}")]
    TooLong {
        /// What the type allows, in bytes.
        limit: usize,
        /// What was given, in bytes.
        actual: usize,
    },
    /// It holds a control character, which no issuer uses and every log would suffer from.
    #[error("must not contain control characters")]
    ControlCharacter,
}

fn parse_identifier(text: &str, limit: usize) -> Result<Arc<str>, IdentifierError> {
    if text.is_empty() {
        return Err(IdentifierError::Empty);
    }
    if text.len() > limit {
        return Err(IdentifierError::TooLong { limit, actual: text.len() });
    }
    if has_control_character(text, "") {
        return Err(IdentifierError::ControlCharacter);
    }
    Ok(Arc::from(text))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $limit:literal) => {
        $(#[$doc])*
        ///
        /// Opaque: compared byte for byte, never taken apart. Cloning is cheap.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The longest identifier of this kind, in bytes.
            pub const MAX_BYTES: usize = $limit;

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdentifierError;

            fn try_from(text: &str) -> Result<Self, IdentifierError> {
                parse_identifier(text, Self::MAX_BYTES).map(Self)
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
    /// Who acts: the `sub` claim, a person (`usr_..`) or a machine (its client id).
    /// OpenID Connect Core §2 bounds it at 255 characters.
    Subject, 255
}

identifier! {
    /// The organization a subject acts for: Scalekit's `oid` claim (`org_..`).
    Organization, 255
}

identifier! {
    /// The OAuth client that acts for the subject: an issued id, or the https URL of a client ID
    /// metadata document.
    ClientId, 2048
}

identifier! {
    /// A name that a client gives to a request, to repeat it without its being done twice. Known for
    /// 24 hours to the subject that gave it.
    IdempotencyKey, 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_kept_byte_for_byte() {
        assert_eq!(Subject::try_from("usr_1:/ü").unwrap().as_str(), "usr_1:/ü");
    }

    #[test]
    fn what_no_issuer_would_send_is_refused() {
        assert_eq!(Subject::try_from(""), Err(IdentifierError::Empty));
        assert_eq!(Organization::try_from("org\n1"), Err(IdentifierError::ControlCharacter));
        assert_eq!(
            Subject::try_from("s".repeat(256).as_str()),
            Err(IdentifierError::TooLong { limit: 255, actual: 256 })
        );
        assert!(ClientId::try_from("c".repeat(2048).as_str()).is_ok());
    }
}
