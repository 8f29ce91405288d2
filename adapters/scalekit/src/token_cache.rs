//! Tokens that were verified a moment ago.
//!
//! The cache saves work and decides nothing: an entry is served only while verifying the token anew
//! would end the same way, which is while
//!
//! * the same keys are in force. Any change of the key set ends every entry made before it, so that
//!   the tokens of a withdrawn key stop with the key;
//! * the clock lies in the token's lifetime, looked at both ends with every request.
//!
//! Everything else that verification looks at is in the token, or fixed for the life of the process.
//! What is not served is verified anew. Rejections are not kept: whoever makes up tokens would fill
//! the cache with them, and a key that is published a second later turns one into an acceptance.
//!
//! A token is recognised by its SHA-256 digest and not kept itself. Two tokens with one digest
//! would pass for each other, so it takes a hash for which nobody can find such two. How long a
//! lookup takes depends on the digest, which says nothing of how close to a good token a guess was.
//!
//! An entry of an ordinary token takes some 400 bytes, which is 4 MB for a full cache; were every
//! claim as long as claims may be, it would be 30 MB. Only the issuer can make tokens that get in.
//! Which entry makes room for a new one is decided as in S3-FIFO: tokens that are used once do not
//! push out those that are used again and again, however many they are. It takes a few steps, and
//! at most three per entry in one of several parts of the cache that are locked one by one.

use std::sync::Arc;

use aws_lc_rs::digest;
use quick_cache::sync::Cache;
use todo_application::domain::Instant;

use crate::VerifiedToken;
use crate::keys::Generation;

/// How many tokens are remembered, about. Beyond that, more tokens in use at once cost a signature
/// check now and then.
const CAPACITY: usize = 10_000;

/// Remembers verified tokens, a bounded number of them.
pub(crate) struct TokenCache {
    entries: Cache<TokenDigest, Entry>,
}

/// What a token is recognised by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenDigest([u8; digest::SHA256_OUTPUT_LEN]);

#[derive(Clone)]
struct Entry {
    token: Arc<VerifiedToken>,
    /// The keys that it was verified with.
    generation: Generation,
}

impl TokenDigest {
    /// The digest of a token as it came in.
    pub(crate) fn of(unverified_token: &str) -> Self {
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        let digest = digest::digest(&digest::SHA256, unverified_token.as_bytes());
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

impl TokenCache {
    /// Remembers nothing yet.
    pub(crate) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { entries: Cache::new(capacity) }
    }

    /// What verifying the token anew would give, if that is known. `generation` and `now` are of
    /// this moment: the keys in force, and the time.
    pub(crate) fn recall(
        &self,
        digest: TokenDigest,
        generation: Option<Generation>,
        now: Instant,
    ) -> Option<Arc<VerifiedToken>> {
        let Entry { token, generation: verified_with } = self.entries.get(&digest)?;
        let still_holds = generation == Some(verified_with) && token.lifetime.check(now).is_ok();
        still_holds.then_some(token)
    }

    /// Keeps a token that was verified with a key of `generation`.
    pub(crate) fn remember(
        &self,
        digest: TokenDigest,
        generation: Generation,
        token: Arc<VerifiedToken>,
    ) {
        self.entries.insert(digest, Entry { token, generation });
    }

    /// How many tokens are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;
