//! Scopes: those of an environment, and sets of them.

use serde::{Deserialize, Serialize};

/// A scope as the consent page explains it.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) name: String,
    /// What a person allows, as a sentence without its subject.
    pub(crate) allows: String,
    is_of_the_resource: bool,
}

/// Requests a refresh token.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// The scopes of every environment, in the order in which people read them.
const OF_EVERY_ENVIRONMENT: [(&str, &str); 4] = [
    (OFFLINE_ACCESS, "Stay connected when you are not using it"),
    ("openid", "Know that it is you"),
    ("profile", "See your name"),
    ("email", "See your email address"),
];

/// Every scope that can be granted: first those of the resource.
pub(crate) struct ScopeCatalog(Vec<Scope>);

/// Scopes in the order in which they were requested, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Scopes(Vec<String>);

impl Scope {
    pub(crate) fn of_the_resource(name: impl Into<String>, allows: impl Into<String>) -> Self {
        Self { name: name.into(), allows: allows.into(), is_of_the_resource: true }
    }
}

impl ScopeCatalog {
    pub(crate) fn new(of_the_resource: Vec<Scope>) -> Self {
        let of_every_environment = OF_EVERY_ENVIRONMENT.map(|(name, allows)| Scope {
            name: name.to_owned(),
            allows: allows.to_owned(),
            is_of_the_resource: false,
        });
        Self(of_the_resource.into_iter().chain(of_every_environment).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Every scope of the resource, which a request without `scope` is about.
    pub(crate) fn of_the_resource(&self) -> Scopes {
        let of_the_resource = self.iter().filter(|scope| scope.is_of_the_resource);
        of_the_resource.map(|scope| scope.name.as_str()).collect()
    }

    /// Those of `scopes` that this environment knows.
    pub(crate) fn known(&self, scopes: &Scopes) -> Scopes {
        scopes.retain(|name| self.iter().any(|scope| scope.name == name))
    }
}

impl Scopes {
    /// Parses the space-separated form (RFC 6749 section 3.3).
    pub(crate) fn parse(text: &str) -> Self {
        text.split_ascii_whitespace().collect()
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.retain(|name| other.contains(name))
    }

    /// Those for which `keep` is true.
    pub(crate) fn retain(&self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.iter().map(String::as_str).filter(|name| keep(name)).collect()
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
