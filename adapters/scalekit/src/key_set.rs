//! A published key set (RFC 7517 section 5), reduced to the keys that can have signed an access token.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use protected_mcp::{Revocation, Revoker};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http::FetchError;
use crate::invalid_token::InvalidToken;
use crate::json;

/// The accepted modulus sizes, in bits. RFC 7518 section 3.3 requires 2048 or more; above 8192 a
/// signature costs more to check than any issuer needs.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The CPU time of a check with a key of 2048 bits, and of reading a token of a kibibyte: 34 us were measured,
/// 18 of them for the signature.
const COST_OF_THE_SHORTEST: Duration = Duration::from_micros(40);
/// The longest public exponent, in bytes. 65537 has three.
const MAX_EXPONENT_BYTES: usize = 4;

/// The keys of a set that verify RS256 signatures: at least one.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Arc<PublishedKey>>,
    ignored: usize,
}

#[derive(Debug)]
pub(crate) struct PublishedKey {
    id: Option<String>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    key: DecodingKey,
    /// Vouches for the callers whose tokens it signed, until it is withdrawn.
    revoker: Revoker,
}

impl PartialEq for PublishedKey {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, modulus, exponent, key: _derived_from_both, revoker: _ } = self;
        (id, modulus, exponent) == (&other.id, &other.modulus, &other.exponent)
    }
}

#[derive(Deserialize)]
struct Jwks<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The members of a JSON Web Key that decide whether and how it verifies RS256 signatures.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: String,
    e: String,
}

impl KeySet {
    /// Keys that are malformed, or of another type, use or algorithm, are ignored one by one; a set
    /// without a usable key is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, FetchError> {
        let jwks: Jwks =
            json::object(text).ok_or(FetchError::Unexpected { expected: "a JSON Web Key set" })?;
        let published = jwks.keys.len();
        let keys: Vec<_> = jwks
            .keys
            .into_iter()
            .filter_map(|jwk| PublishedKey::parse(jwk.get()))
            .map(Arc::new)
            .collect();
        if keys.is_empty() {
            return Err(FetchError::Unexpected { expected: "a key set with a usable RS256 key" });
        }
        Ok(Self { ignored: published - keys.len(), keys })
    }

    /// The first key with this id. Without an id, the key of a set that has only one: with several it
    /// would be a guess.
    pub(crate) fn find(&self, id: Option<&str>) -> Option<&Arc<PublishedKey>> {
        match (id, self.keys.as_slice()) {
            (Some(_), _) => self.first(id),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Whether both sets accept the same tokens: the same usable keys with the same ids, in the same
    /// order (of two keys with one id the first counts).
    pub(crate) fn is_equivalent_to(&self, other: &Self) -> bool {
        self.keys == other.keys
    }

    /// The same keys. Those that `earlier` would find too are taken from it, and go on vouching for the
    /// callers whose tokens they signed; those that it holds alone are withdrawn when it is dropped.
    pub(crate) fn succeeding(self, earlier: &Self) -> Self {
        let taken_over = |key: &Arc<PublishedKey>| {
            let id = key.id.as_deref();
            let is_found = self.first(id).is_some_and(|first| Arc::ptr_eq(first, key));
            let same = earlier.first(id).filter(|same| is_found && *same == key);
            Arc::clone(same.unwrap_or(key))
        };
        let keys = self.keys.iter().map(taken_over).collect();
        Self { keys, ..self }
    }

    /// The first key with this id, or the first one without an id.
    fn first(&self, id: Option<&str>) -> Option<&Arc<PublishedKey>> {
        self.keys.iter().find(|key| key.id.as_deref() == id)
    }

    /// The ids of the usable keys, `None` for a key without one.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(|key| key.id.as_deref())
    }

    pub(crate) fn ignored(&self) -> usize {
        self.ignored
    }
}

impl PublishedKey {
    /// Accepts an RSA key (RFC 7518 section 6.3.1) whose `use`, `key_ops` and `alg`, if present, allow
    /// RS256 signatures (RFC 7517 sections 4.2 to 4.4).
    fn parse(text: &str) -> Option<Self> {
        let jwk: Jwk = json::object(text)?;
        let is_for_rs256 = jwk.kty == "RSA"
            && jwk.public_key_use.is_none_or(|usage| usage == "sig")
            && jwk.alg.is_none_or(|alg| alg == "RS256")
            && jwk
                .key_ops
                .is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
        if !is_for_rs256 {
            return None;
        }
        let modulus = unsigned_integer(&jwk.n)?;
        let exponent = unsigned_integer(&jwk.e)?;
        let is_sound = MODULUS_BITS.contains(&bits(&modulus))
            && is_odd(&modulus)
            && exponent.len() <= MAX_EXPONENT_BYTES
            && is_odd(&exponent)
            && exponent != [1];
        is_sound.then(|| Self {
            id: jwk.kid,
            key: DecodingKey::from_rsa_raw_components(&modulus, &exponent),
            modulus,
            exponent,
            revoker: Revoker::new(),
        })
    }

    /// The length of its signatures (RFC 8017 section 8.2.1).
    pub(crate) fn signature_bytes(&self) -> usize {
        self.modulus.len()
    }

    /// The CPU time of a check, as an estimate: it grows with the square of the length.
    pub(crate) fn cost(&self) -> Duration {
        let ratio = u32::try_from(bits(&self.modulus).div_ceil(*MODULUS_BITS.start()));
        let ratio = ratio.unwrap_or(u32::MAX);
        COST_OF_THE_SHORTEST * ratio.saturating_mul(ratio)
    }

    /// Of the callers whose tokens it signed: it is withdrawn when nothing holds it any more.
    pub(crate) fn revocation(&self) -> Revocation {
        self.revoker.revocation()
    }

    /// Checks an RS256 signature over `message`. `signature` is base64url, as in a token.
    pub(crate) fn check(&self, message: &str, signature: &str) -> Result<(), InvalidToken> {
        match crypto::verify(signature, message.as_bytes(), &self.key, Algorithm::RS256) {
            Ok(true) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Base64(_)) => {
                Err(InvalidToken::Malformed)
            }
            Ok(false) | Err(_) => Err(InvalidToken::Signature),
        }
    }
}

/// Decodes a `Base64urlUInt` (RFC 7518 section 2) to big-endian bytes without leading zeros.
fn unsigned_integer(text: &str) -> Option<Vec<u8>> {
    let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Some(bytes)
}

fn bits(bytes: &[u8]) -> usize {
    bytes
        .first()
        .map_or(0, |first| bytes.len() * 8 - usize::try_from(first.leading_zeros()).unwrap_or(0))
}

fn is_odd(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|last| last & 1 == 1)
}

#[cfg(test)]
mod tests;
