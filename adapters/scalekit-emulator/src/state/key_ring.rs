//! The keys of the environment: one that signs, and old ones that are still published.

use std::sync::{PoisonError, RwLock};

use jsonwebtoken::jwk::Jwk;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::signing_key::SigningKey;

/// Keys are rotated in memory only: the state file keeps the first one.
pub(crate) struct KeyRing(RwLock<Keys>);

struct Keys {
    signing: SigningKey,
    /// Oldest first.
    old: Vec<SigningKey>,
}

impl KeyRing {
    pub(crate) fn new(signing: SigningKey) -> Self {
        Self(RwLock::new(Keys { signing, old: Vec::new() }))
    }

    /// `claims` as a JWT.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> String {
        self.0.read().unwrap_or_else(PoisonError::into_inner).signing.sign(claims)
    }

    /// The claims of a token that a key of this ring has signed, otherwise unchecked.
    pub(crate) fn read<T: DeserializeOwned + Clone>(&self, token: &str) -> Option<T> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.published().find_map(|key| key.read(token))
    }

    /// The public keys. The one that signs comes last, so a reader that takes the first one fails.
    pub(crate) fn jwks(&self) -> Vec<Jwk> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.published().map(SigningKey::jwk).cloned().collect()
    }
}

#[cfg(feature = "testing")]
impl KeyRing {
    /// Signs with `next` from now on. The key before it stays published.
    pub(crate) fn rotate(&self, next: SigningKey) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut keys.signing, next);
        keys.old.push(before);
    }

    /// Publishes only the key that signs.
    pub(crate) fn retire_old(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).old.clear();
    }
}

impl Keys {
    fn published(&self) -> impl Iterator<Item = &SigningKey> {
        self.old.iter().chain([&self.signing])
    }
}
