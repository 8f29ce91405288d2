//! A bearer token as it was received, and the one way from there to its payload.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::invalid_token::InvalidToken;
use crate::json;
use crate::key_set::PublishedKey;

/// The longest token that is processed, in bytes. Scalekit's have about 1,100.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The only signature algorithm. It is fixed here and taken neither from the token nor from the key
/// (RFC 8725 section 3.1).
const ALGORITHM: &str = "RS256";

/// The CPU time to hash, decode and parse so much of a token.
const COST_OF_A_KIBIBYTE: Duration = Duration::from_micros(5);

/// A text within the size limit of tokens, otherwise unchecked.
#[derive(Clone, Copy)]
pub(crate) struct BearerToken<'a>(&'a str);

/// The three parts of a JWS in compact form (RFC 7515 section 7.1), with an acceptable header.
pub(crate) struct UnverifiedToken<'a> {
    /// Header, dot and payload as they were sent: what the signature covers.
    signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
    key_id: Option<String>,
}

/// The organization and the subject that an unverified token claims. Anyone can write them: they decide
/// where it waits, and nothing else.
#[derive(Default, Deserialize)]
pub(crate) struct UnverifiedOwner {
    oid: Option<String>,
    org_id: Option<String>,
    #[serde(default)]
    sub: String,
}

/// The JSON text of the claims, of a token whose signature is valid.
/// [`UnverifiedToken::check_signature`] alone makes one.
pub(crate) struct SignedPayload(String);

/// The members of the header that are looked at. `typ` is not: Scalekit writes `JWT` where RFC 9068
/// requires `at+jwt`, and what keeps ID tokens out is their audience. Nor is any member that holds a
/// key or a URL to fetch one from (`jwk`, `jku`, `x5c`, `x5u`).
#[derive(Deserialize)]
struct UnverifiedHeader<'a> {
    #[serde(borrow)]
    alg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "is_present")]
    crit: bool,
}

impl<'a> BearerToken<'a> {
    pub(crate) fn new(text: &'a str) -> Result<Self, InvalidToken> {
        if text.len() > MAX_TOKEN_BYTES { Err(InvalidToken::Malformed) } else { Ok(Self(text)) }
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

impl<'a> UnverifiedToken<'a> {
    /// Splits a token and rejects one that is malformed, not signed with RS256, or has a critical
    /// extension.
    pub(crate) fn parse(BearerToken(token): BearerToken<'a>) -> Result<Self, InvalidToken> {
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidToken::Malformed);
        };
        let header_text = decode(header)?;
        let unverified_header: UnverifiedHeader =
            json::object(&header_text).ok_or(InvalidToken::Malformed)?;
        if unverified_header.alg.as_deref() != Some(ALGORITHM) {
            return Err(InvalidToken::Algorithm);
        }
        // RFC 7515 section 4.1.11: an extension that is not implemented makes the token invalid.
        if unverified_header.crit {
            return Err(InvalidToken::CriticalExtension);
        }
        Ok(Self {
            signing_input: &token[..header.len() + 1 + payload.len()],
            payload,
            signature,
            key_id: unverified_header.kid.map(Cow::into_owned),
        })
    }

    /// The `kid` of the header.
    pub(crate) fn unverified_key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Claims that cannot be read have no owner.
    pub(crate) fn unverified_owner(&self) -> UnverifiedOwner {
        let payload = decode(self.payload).ok();
        payload.and_then(|payload| json::object(&payload)).unwrap_or_default()
    }

    /// Whether the signature has the length of one that this key makes. Others are rejected without
    /// arithmetic.
    pub(crate) fn has_signature_of_length(&self, key: &PublishedKey) -> bool {
        self.signature.len() == (key.signature_bytes() * 4).div_ceil(3)
    }

    /// The CPU time of [`check_signature`](Self::check_signature) and of what follows, as an estimate.
    pub(crate) fn cost(&self, key: &PublishedKey) -> Duration {
        let kibibytes = u32::try_from(self.signing_input.len() / 1024).unwrap_or(u32::MAX);
        key.cost() + COST_OF_A_KIBIBYTE * kibibytes
    }

    pub(crate) fn check_signature(
        &self,
        key: &PublishedKey,
    ) -> Result<SignedPayload, InvalidToken> {
        key.check(self.signing_input, self.signature)?;
        decode(self.payload).map(SignedPayload)
    }

    /// The payload without any check, to reach the code behind the check with any bytes.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn assume_signed(&self) -> Result<SignedPayload, InvalidToken> {
        decode(self.payload).map(SignedPayload)
    }
}

impl UnverifiedOwner {
    pub(crate) fn organization(&self) -> Option<&str> {
        self.oid.as_deref().or(self.org_id.as_deref())
    }

    pub(crate) fn subject(&self) -> &str {
        &self.sub
    }
}

impl SignedPayload {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn assumed(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// The text in one part of a token.
pub(crate) fn decode(part: &str) -> Result<String, InvalidToken> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidToken::Malformed)?;
    String::from_utf8(bytes).map_err(|_| InvalidToken::Malformed)
}

/// True for any value, `null` included.
fn is_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
