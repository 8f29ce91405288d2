//! Who a caller is.

use crate::identity::{Organization, Subject};

/// The identity of a caller, whatever it is allowed to do: its subject in its organization. Whatever is
/// remembered of one caller is keyed by this and nothing else.
///
/// The same subject in two organizations is two callers. A machine that acts for no person has no
/// organization, and its subject is its client (RFC 9068 section 2.2), so the client adds nothing. Two
/// clients that act for one person are one caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallerId {
    subject: Subject,
    organization: Option<Organization>,
}

impl CallerId {
    pub fn new(subject: &Subject, organization: Option<&Organization>) -> Self {
        Self { subject: subject.clone(), organization: organization.cloned() }
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    pub fn organization(&self) -> Option<&Organization> {
        self.organization.as_ref()
    }

    /// The key of what a store remembers of this caller. Callers have different keys, whatever characters
    /// their identifiers contain: those are lines, so the line break between them is unambiguous.
    pub fn key(&self) -> String {
        let subject = self.subject.as_str();
        match &self.organization {
            None => subject.to_owned(),
            Some(organization) => format!("{subject}\n{organization}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller((subject, organization): &(String, Option<String>)) -> CallerId {
        let organization = organization.as_deref().map(|it| Organization::try_from(it).unwrap());
        CallerId::new(&Subject::try_from(subject.as_str()).unwrap(), organization.as_ref())
    }

    #[test]
    fn a_key_is_the_subject_and_the_organization() {
        let key = |subject: &str, organization: Option<&str>| {
            caller(&(subject.to_owned(), organization.map(str::to_owned))).key()
        };
        assert_eq!(key("usr_1", Some("org_1")), "usr_1\norg_1");
        assert_eq!(key("m2m_1", None), "m2m_1");
    }

    proptest! {
        #[test]
        fn callers_have_one_key_only_if_they_are_the_same(
            one in ("[ab: %]{1,3}", proptest::option::of("[ab: %]{1,3}")),
            other in ("[ab: %]{1,3}", proptest::option::of("[ab: %]{1,3}")),
        ) {
            prop_assert_eq!(caller(&one).key() == caller(&other).key(), one == other);
        }
    }
}
