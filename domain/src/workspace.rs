//! Workspaces, which separate the todos of different callers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::identity::{IdentifierError, Organization, Subject};

/// The key of a workspace. Every stored todo carries one and every query is keyed by one; it is also
/// the sharding key of a store that spans machines.
///
/// It contains no host name, port or issuer, so todos survive a change of domain. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspaceId(Arc<str>);

impl WorkspaceId {
    /// Enough for two identifiers of 255 bytes, one of which may grow threefold by escaping.
    pub const MAX_BYTES: usize = 1100;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for WorkspaceId {
    type Error = IdentifierError;

    /// Reads a stored key.
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

/// Which callers share a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// One workspace for each subject in each organization.
    #[default]
    Personal,
    /// One workspace for each organization. A caller without an organization has none.
    Organization,
    /// One workspace for all callers.
    Everyone,
}

/// The caller has no workspace: todos are shared by organization, and the caller has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("todos are shared by organization, and the caller has none")]
pub struct NoOrganization;

impl Sharing {
    /// The default first.
    pub const ALL: [Self; 3] = [Self::Personal, Self::Organization, Self::Everyone];

    /// The value of the setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Organization => "organization",
            Self::Everyone => "everyone",
        }
    }

    /// Whether a caller of this organization has a workspace.
    pub const fn check(self, organization: Option<&Organization>) -> Result<(), NoOrganization> {
        match (self, organization) {
            (Self::Organization, None) => Err(NoOrganization),
            (Self::Personal | Self::Organization | Self::Everyone, _) => Ok(()),
        }
    }

    /// The workspace of a caller. Callers that do not share one have different keys, whatever
    /// characters their identifiers contain.
    pub fn workspace(
        self,
        subject: &Subject,
        organization: Option<&Organization>,
    ) -> Result<WorkspaceId, NoOrganization> {
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
            (Self::Organization, None) => Err(NoOrganization),
            (Self::Everyone, _) => Ok(WorkspaceId("everyone".into())),
        }
    }
}

impl FromStr for Sharing {
    type Err = UnknownSharing;

    fn from_str(word: &str) -> Result<Self, UnknownSharing> {
        Self::ALL.into_iter().find(|sharing| sharing.as_str() == word).ok_or(UnknownSharing)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be personal, organization or everyone")]
pub struct UnknownSharing;

/// Appends an identifier with its colons escaped, so that the first bare `:` after it is the separator.
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
    fn a_key_consists_of_what_its_callers_share() {
        let (alice, acme) = (subject("usr_1"), organization("org_1"));
        let key = |sharing: Sharing, org| sharing.workspace(&alice, org).map(|key| key.to_string());
        assert_eq!(key(Sharing::Personal, Some(&acme)), Ok("personal:org_1:usr_1".into()));
        assert_eq!(key(Sharing::Personal, None), Ok("personal::usr_1".into()));
        assert_eq!(key(Sharing::Organization, Some(&acme)), Ok("organization:org_1".into()));
        assert_eq!(key(Sharing::Organization, None), Err(NoOrganization));
        assert_eq!(key(Sharing::Everyone, None), Ok("everyone".into()));
    }

    #[test]
    fn a_caller_has_a_workspace_if_the_check_passes() {
        for sharing in Sharing::ALL {
            for organization in [None, Some(organization("org_1"))] {
                let workspace = sharing.workspace(&subject("usr_1"), organization.as_ref());
                assert_eq!(sharing.check(organization.as_ref()), workspace.map(drop));
            }
        }
    }

    #[test]
    fn the_values_of_the_setting_are_parsed() {
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
        fn two_callers_share_a_personal_workspace_only_if_they_are_the_same(
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
