//! Tokens that were accepted a moment ago.
//!
//! The cache saves work and decides nothing: an entry is served only while verifying the token again
//! would give the same result, which is while
//!
//! * the same keys are in force. Any change of the key set invalidates every earlier entry, so the
//!   tokens of a withdrawn key are rejected as soon as the key is gone;
//! * the current time is within the token's lifetime, compared at both ends for every request.
//!
//! Everything else that verification depends on is in the token, or constant for the process. What is
//! not served is verified again. Rejections are not cached: made-up tokens would fill the cache, and a
//! key that is published a second later turns a rejection into an acceptance.
//!
//! A token is identified by its SHA-256 digest and not stored itself. Two tokens with one digest would
//! be taken for each other, so the hash must be collision-resistant. The time of a lookup depends on
//! the digest, which reveals nothing of how close a guessed token is to a valid one.
//!
//! An entry of an ordinary token takes some 480 bytes. A longer one counts as several, so that the
//! capacity limits memory too. Nothing is allocated for entries that do not exist yet. Only the issuer
//! can make tokens that are cached. Eviction follows S3-FIFO: tokens that are used once do not evict
//! those that are used repeatedly, however many they are. It takes a few steps, and at most three per
//! entry in one of several independently locked shards.

use std::num::NonZeroUsize;
use std::time::SystemTime;

use aws_lc_rs::digest;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::claims::Accepted;
use crate::keys::Generation;

/// How many tokens are cached, about, unless another number is asked for. With more tokens in use at
/// once, some signatures are checked again.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// A token of this length in bytes, twice that of Scalekit's, counts as two.
const ORDINARY_LENGTH: usize = 2_048;

/// A bounded number of accepted tokens.
pub(crate) struct TokenCache {
    capacity: NonZeroUsize,
    entries: Cache<TokenDigest, Entry, Lengths>,
}

/// Identifies a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenDigest {
    sha256: [u8; digest::SHA256_OUTPUT_LEN],
    /// How many ordinary tokens it counts as. It follows from the token, as the digest does.
    weight: u8,
}

/// Weighs an entry by the length of its token.
#[derive(Clone)]
struct Lengths;

#[derive(Clone)]
struct Entry {
    accepted: Accepted,
    /// The keys that it was verified with.
    generation: Generation,
}

impl TokenDigest {
    pub(crate) fn of(unverified_token: &str) -> Self {
        let mut sha256 = [0; digest::SHA256_OUTPUT_LEN];
        let digest = digest::digest(&digest::SHA256, unverified_token.as_bytes());
        sha256.copy_from_slice(digest.as_ref());
        let weight = 1 + unverified_token.len() / ORDINARY_LENGTH;
        Self { sha256, weight: u8::try_from(weight).unwrap_or(u8::MAX) }
    }
}

impl Weighter<TokenDigest, Entry> for Lengths {
    fn weight(&self, token: &TokenDigest, _: &Entry) -> u64 {
        token.weight.into()
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl TokenCache {
    pub(crate) fn with_capacity(capacity: NonZeroUsize) -> Self {
        let weight = u64::try_from(capacity.get()).unwrap_or(u64::MAX);
        Self { capacity, entries: Cache::with_weighter(capacity.get(), weight, Lengths) }
    }

    /// An empty one of this capacity.
    pub(crate) fn emptied(&self) -> Self {
        Self::with_capacity(self.capacity)
    }

    /// The result of verifying the token again, if it is known. `generation` and `now` are the keys in
    /// force and the time at this moment.
    pub(crate) fn get(
        &self,
        digest: TokenDigest,
        generation: Option<Generation>,
        now: SystemTime,
    ) -> Option<Accepted> {
        let Entry { accepted, generation: verified_with } = self.entries.get(&digest)?;
        let still_holds = generation == Some(verified_with) && accepted.lifetime.check(now).is_ok();
        still_holds.then_some(accepted)
    }

    /// Stores a token that was verified with a key of `generation`.
    pub(crate) fn insert(&self, digest: TokenDigest, generation: Generation, accepted: Accepted) {
        self.entries.insert(digest, Entry { accepted, generation });
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests;
