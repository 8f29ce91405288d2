//! A published key set (RFC 7517 §5), read down to what can have signed one of our tokens.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::value::RawValue;
use todo_application::ports::Rejection;

use crate::http::FetchError;
use crate::json;

/// The modulus sizes that RS256 is checked with, in bits. RFC 7518 §3.3 wants 2048 or more; beyond
/// 8192 a signature costs more to check than any issuer would ask for.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The longest public exponent, in bytes. 65537 has three.
const MAX_EXPONENT_BYTES: usize = 4;

/// The keys of a set that check RS256 signatures: at least one.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<Arc<PublishedKey>>,
    passed_over: usize,
}

/// One public key of the issuer.
#[derive(Debug)]
pub(crate) struct PublishedKey {
    id: Option<String>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    key: DecodingKey,
}

impl PartialEq for PublishedKey {
    fn eq(&self, other: &Self) -> bool {
        let Self { id, modulus, exponent, key: _made_of_both } = self;
        (id, modulus, exponent) == (&other.id, &other.modulus, &other.exponent)
    }
}

#[derive(Deserialize)]
struct Jwks<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The members of a JSON Web Key that say whether and how it checks RS256 signatures.
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
    /// Reads a key set. Keys that are malformed, or of another type, use or algorithm, are passed
    /// over one by one; a set without a single usable key is no key set.
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
        Ok(Self { passed_over: published - keys.len(), keys })
    }

    /// The key with this id, the first where ids repeat. Without an id, the only key there is: with
    /// several it would be a guess.
    pub(crate) fn find(&self, id: Option<&str>) -> Option<&Arc<PublishedKey>> {
        match (id, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().find(|key| key.id.as_deref() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Whether both sets give the same verdict on every token: the same usable keys under the same
    /// ids, in the same order (of two keys with one id the first counts).
    pub(crate) fn is_equivalent_to(&self, other: &Self) -> bool {
        self.keys == other.keys
    }

    /// The ids of the usable keys, for the log.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(|key| key.id.as_deref())
    }

    /// How many published keys are not usable.
    pub(crate) fn passed_over(&self) -> usize {
        self.passed_over
    }
}

impl PublishedKey {
    /// Reads one JSON Web Key, if it is an RSA key (RFC 7518 §6.3.1) that is meant for RS256
    /// signatures as far as it says what it is meant for (RFC 7517 §4.2 - §4.4).
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
        })
    }

    /// Checks an RS256 signature over `message`. `signature` is base64url, as in the token.
    pub(crate) fn check(&self, message: &str, signature: &str) -> Result<(), Rejection> {
        match crypto::verify(signature, message.as_bytes(), &self.key, Algorithm::RS256) {
            Ok(true) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::Base64(_)) => Err(Rejection::Malformed),
            Ok(false) | Err(_) => Err(Rejection::Signature),
        }
    }
}

/// Reads a `Base64urlUInt` (RFC 7518 §2) into big-endian bytes without leading zeros.
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
