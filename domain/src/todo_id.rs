//! The id of a todo.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use uuid::Uuid;

/// The id of a todo: a UUID (RFC 9562).
///
/// New ids are version 7, whose byte order is their creation order, so the primary key is also the
/// order of every list. Parsing accepts any UUID: an imported todo keeps its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TodoId(Uuid);

/// The text is not a UUID in its hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a UUID such as 0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b")]
pub struct TodoIdError;

impl TodoId {
    /// The length of the text of an id.
    pub const CHARACTERS: usize = uuid::fmt::Hyphenated::LENGTH;

    /// How far the time of an id may be ahead of the clock without being wrong: a year.
    pub const MAX_AHEAD_MILLIS: i64 = 366 * 24 * 60 * 60 * 1000;

    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }

    /// The time of an id of version 7, in milliseconds since 1970; `None` for another version.
    pub const fn unix_millis(self) -> Option<i64> {
        const VERSION: u128 = 0xf << 76;
        const VERSION_7: u128 = 7 << 76;
        let number = self.0.as_u128();
        if number & VERSION == VERSION_7 { Some((number >> 80) as i64) } else { None }
    }
}

impl FromStr for TodoId {
    type Err = TodoIdError;

    /// Accepts the hyphenated form in either case, and no other: not the braced, simple or URN form.
    fn from_str(text: &str) -> Result<Self, TodoIdError> {
        if text.len() != Self::CHARACTERS {
            return Err(TodoIdError);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| TodoIdError)
    }
}

impl fmt::Display for TodoId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let id = "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b";
        assert!(TodoId::from_str(id).is_ok());
        assert_eq!(TodoId::from_str(&id.to_uppercase()), TodoId::from_str(id));
        for other in [
            "",
            "not-a-uuid",
            "0199e1a27c3d7e4f8a5b6c7d8e9f0a1b",
            "{0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b}",
            "urn:uuid:0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
            "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1g",
        ] {
            assert_eq!(TodoId::from_str(other), Err(TodoIdError), "{other:?}");
        }
    }

    #[test]
    fn an_id_of_version_7_has_a_time() {
        let millis = |id: &str| TodoId::from_str(id).unwrap().unix_millis();
        assert_eq!(millis("0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"), Some(0x0199_e1a2_7c3d));
        assert_eq!(millis("ffffffff-ffff-7fff-bfff-ffffffffffff"), Some(0xffff_ffff_ffff));
        assert_eq!(millis("0199e1a2-7c3d-4e4f-8a5b-6c7d8e9f0a1b"), None);
    }

    proptest! {
        #[test]
        fn an_id_survives_being_written_and_read(bytes: [u8; 16]) {
            let id = TodoId::from_uuid(Uuid::from_bytes(bytes));
            prop_assert_eq!(TodoId::from_str(&id.to_string()), Ok(id));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = TodoId::from_str(&text);
        }
    }
}
