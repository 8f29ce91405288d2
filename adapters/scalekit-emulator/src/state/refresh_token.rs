//! Refresh tokens: rotated on each use, and recognized when they are used again (RFC 9700 section 4.14.2).

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use crate::identifiers::unguessable;

/// A family and a secret, both unguessable. The tokens of one login have the family in common, so an old
/// one shows whose replay it is, and no list of old ones is kept.
#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    family: String,
    secret: String,
}

/// What is kept of the current token of a login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredRefreshToken {
    /// Of the whole token.
    refresh_token: Fingerprint,
    /// Absent from files of versions that knew no families.
    family: Option<Fingerprint>,
}

impl RefreshToken {
    /// The first token of a login.
    pub(crate) fn first() -> Self {
        Self { family: unguessable(), secret: unguessable() }
    }

    /// A token that a client has sent.
    pub(crate) fn parse(text: &str) -> Self {
        let (family, secret) = text.split_once('.').unwrap_or(("", text));
        Self { family: family.to_owned(), secret: secret.to_owned() }
    }

    /// The token that replaces this one.
    pub(crate) fn next(&self) -> Self {
        let family = if self.family.is_empty() { unguessable() } else { self.family.clone() };
        Self { family, secret: unguessable() }
    }

    pub(crate) fn store(&self) -> StoredRefreshToken {
        StoredRefreshToken {
            refresh_token: Fingerprint::of(&self.to_string()),
            family: Some(Fingerprint::of(&self.family)),
        }
    }
}

impl StoredRefreshToken {
    pub(crate) fn is(&self, token: &RefreshToken) -> bool {
        self.refresh_token == Fingerprint::of(&token.to_string())
    }

    /// Whether `token` is this one, or one that it has replaced.
    pub(crate) fn is_of_the_family_of(&self, token: &RefreshToken) -> bool {
        self.family == Some(Fingerprint::of(&token.family)) || self.is(token)
    }
}

/// As the client sees it.
impl std::fmt::Display for RefreshToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.family.is_empty() {
            write!(formatter, "{}.", self.family)?;
        }
        formatter.write_str(&self.secret)
    }
}
