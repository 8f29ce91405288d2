//! The scopes of this environment, and sets of them.

use serde::{Deserialize, Serialize};

/// A scope as the consent page explains it.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    /// What a person allows, as a sentence without its subject.
    pub(crate) allows: &'static str,
    pub(crate) belongs_to_resource: bool,
}

/// Asks for a refresh token.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// Every scope that can be granted, in the order in which people read them.
pub(crate) const KNOWN: [Scope; 6] = [
    Scope { name: "todo:read", allows: "See your todos", belongs_to_resource: true },
    Scope {
        name: "todo:write",
        allows: "Create, change and delete your todos",
        belongs_to_resource: true,
    },
    Scope {
        name: OFFLINE_ACCESS,
        allows: "Stay connected when you are not using it",
        belongs_to_resource: false,
    },
    Scope { name: "openid", allows: "Know that it is you", belongs_to_resource: false },
    Scope { name: "profile", allows: "See your name", belongs_to_resource: false },
    Scope { name: "email", allows: "See your email address", belongs_to_resource: false },
];

/// Scopes in the order in which they were asked for, none twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Scopes(Vec<String>);

impl Scopes {
    /// Reads the space-separated form (RFC 6749 section 3.3).
    pub(crate) fn parse(written: &str) -> Self {
        written.split_ascii_whitespace().collect()
    }

    /// Every scope of the resource, which is what a request without `scope` is about.
    pub(crate) fn of_the_resource() -> Self {
        KNOWN.iter().filter(|scope| scope.belongs_to_resource).map(|scope| scope.name).collect()
    }

    /// Those that this environment knows.
    pub(crate) fn known(&self) -> Self {
        self.only(|name| KNOWN.iter().any(|scope| scope.name == name))
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.only(|name| other.contains(name))
    }

    /// Those that a person with these permissions can grant. Only scopes of the resource are
    /// permissions.
    pub(crate) fn permitted(&self, permissions: &[String]) -> Self {
        let of_the_resource = Self::of_the_resource();
        self.only(|name| {
            !of_the_resource.contains(name) || permissions.iter().any(|held| held == name)
        })
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|held| held == name)
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|name| other.contains(name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn to_names(&self) -> Vec<String> {
        self.0.clone()
    }

    fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.iter().map(String::as_str).filter(|name| keep(name)).collect()
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut scopes = Self::default();
        for name in names {
            if !scopes.contains(name) {
                scopes.0.push(name.to_owned());
            }
        }
        scopes
    }
}

/// The space-separated form (RFC 6749 section 3.3).
impl std::fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}
