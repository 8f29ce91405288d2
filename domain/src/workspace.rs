//! How todos are kept apart.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::identity::{IdentifierError, Organization, Subject};

/// The key that every stored todo carries and every query names: where a todo lives, and the
/// sharding key of a store that spans machines.
///
/// It holds nothing that a move changes (no host name, port or issuer), so todos survive a custom
/// domain. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspaceId(Arc<str>);

impl WorkspaceId {
    /// The longest key: two identifiers of 255 bytes, one of which may be escaped threefold.
    pub const MAX_BYTES: usize = 1100;

    /// The key as stores write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for WorkspaceId {
    type Error = IdentifierError;

    /// Reads back what a store holds.
    fn try_from(text: &str) -> Result<Self, IdentifierError> {
        match text.len() {
            0 => Err(IdentifierError::Empty),
            1..=Self::MAX_BYTES => Ok(Self(text.into())),
            actual => Err(IdentifierError::TooLong { limit: Self::MAX_BYTES, actual }),
        }
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Who shares a workspace with whom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// Nobody: one workspace for each subject in each organization.
    #[default]
    Personal,
    /// Everyone of an organization. A principal without one is denied.
    Organization,
    /// Everyone, as in the quickstart.
    Everyone,
}

/// Why a principal has no workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SharingError {
    /// Todos are shared by organization, and the token names none.
    #[error("Todos are shared by organization here, and this access token names none.")]
    NoOrganization,
}

impl Sharing {
    /// Every way of sharing, the default first.
    pub const ALL: [Self; 3] = [Self::Personal, Self::Organization, Self::Everyone];

    /// The word that settings use for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Organization => "organization",
            Self::Everyone => "everyone",
        }
    }

    /// The one workspace of a principal. Different principals that do not share get different keys,
    /// whatever characters their identifiers hold.
    pub fn workspace(
        self,
        subject: &Subject,
        organization: Option<&Organization>,
    ) -> Result<WorkspaceId, SharingError> {
        match (self, organization) {
            (Self::Personal, organization) => {
                let organization = organization.map_or("", Organization::as_str);
                let mut key =
                    String::with_capacity(64 + organization.len() + subject.as_str().len());
                key.push_str("personal:");
                escape(organization, &mut key);
                key.push(':');
                key.push_str(subject.as_str());
                Ok(WorkspaceId(key.into()))
            }
            (Self::Organization, Some(organization)) => {
                Ok(WorkspaceId(format!("organization:{organization}").into()))
            }
            (Self::Organization, None) => Err(SharingError::NoOrganization),
            (Self::Everyone, _) => Ok(WorkspaceId("everyone".into())),
        }
    }
}

/// The words are `personal`, `organization` and `everyone`.
impl FromStr for Sharing {
    type Err = UnknownSharing;

    fn from_str(word: &str) -> Result<Self, UnknownSharing> {
        Self::ALL.into_iter().find(|sharing| sharing.as_str() == word).ok_or(UnknownSharing)
    }
}

/// The word names no way of sharing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be personal, organization or everyone")]
pub struct UnknownSharing;

/// Writes an identifier without a bare `:`, so that the separator after it is the first one.
fn escape(identifier: &str, key: &mut String) {
    for piece in identifier.split_inclusive([':', '%']) {
        let (text, escaped) = match piece.as_bytes().last() {
            Some(b':') => (&piece[..piece.len() - 1], "%3A"),
            Some(b'%') => (&piece[..piece.len() - 1], "%25"),
            _ => (piece, ""),
        };
        key.push_str(text);
        key.push_str(escaped);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subject(text: &str) -> Subject {
        Subject::try_from(text).unwrap()
    }

    fn organization(text: &str) -> Organization {
        Organization::try_from(text).unwrap()
    }

    #[test]
    fn the_key_says_who_shares() {
        let (alice, acme) = (subject("usr_1"), organization("org_1"));
        let key = |sharing: Sharing, org| sharing.workspace(&alice, org).map(|key| key.to_string());
        assert_eq!(key(Sharing::Personal, Some(&acme)), Ok("personal:org_1:usr_1".into()));
        assert_eq!(key(Sharing::Personal, None), Ok("personal::usr_1".into()));
        assert_eq!(key(Sharing::Organization, Some(&acme)), Ok("organization:org_1".into()));
        assert_eq!(key(Sharing::Organization, None), Err(SharingError::NoOrganization));
        assert_eq!(key(Sharing::Everyone, None), Ok("everyone".into()));
    }

    #[test]
    fn the_words_of_the_settings_are_read_back() {
        for sharing in Sharing::ALL {
            assert_eq!(sharing.as_str().parse(), Ok(sharing));
        }
        assert_eq!("Personal".parse::<Sharing>(), Err(UnknownSharing));
    }

    #[test]
    fn the_longest_key_can_be_read_back() {
        let longest = Sharing::Personal
            .workspace(&subject(&"s".repeat(255)), Some(&organization(&":".repeat(255))))
            .unwrap();
        assert_eq!(WorkspaceId::try_from(longest.as_str()), Ok(longest));
    }

    proptest! {
        #[test]
        fn two_principals_share_a_personal_workspace_only_if_they_are_one(
            one in ("[ab:%3A]{1,4}", proptest::option::of("[ab:%3A]{1,4}")),
            other in ("[ab:%3A]{1,4}", proptest::option::of("[ab:%3A]{1,4}")),
        ) {
            let key = |(who, org): &(String, Option<String>)| {
                Sharing::Personal
                    .workspace(&subject(who), org.as_deref().map(organization).as_ref())
                    .unwrap()
            };
            prop_assert_eq!(key(&one) == key(&other), one == other);
        }
    }
}
