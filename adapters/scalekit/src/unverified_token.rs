//! A bearer token as it came in: split into its parts, believed in nothing.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use todo_application::ports::Rejection;

use crate::json;

/// The longest token that is looked at, in bytes. Scalekit's have about 1,100.
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The one signature algorithm. It is named here and not taken from the token, nor from the key
/// (RFC 8725 §3.1).
const ALGORITHM: &str = "RS256";

/// The three parts of a JWS in compact form (RFC 7515 §7.1), the header read and acceptable.
pub(crate) struct UnverifiedToken<'a> {
    /// Header, dot and payload as they were sent: what the signature is over.
    pub(crate) signing_input: &'a str,
    payload: &'a str,
    pub(crate) signature: &'a str,
    pub(crate) unverified_key_id: Option<String>,
}

/// What of the header is looked at. `typ` is not: Scalekit writes `JWT` where RFC 9068 would have
/// `at+jwt`, and what keeps ID tokens out is their audience. Nor is any member that names a key or
/// a place to fetch one from (`jwk`, `jku`, `x5c`, `x5u`).
#[derive(Deserialize)]
struct UnverifiedHeader<'a> {
    #[serde(borrow)]
    alg: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kid: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart and refuses what cannot be any token of ours: one that is oversized or
    /// malformed, not signed with RS256, or critical of an extension (RFC 7515 §4.1.11; we know
    /// none, so that any `crit` is too much).
    pub(crate) fn parse(unverified_token: &'a str) -> Result<Self, Rejection> {
        check_size(unverified_token)?;
        let mut parts = unverified_token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Rejection::Malformed);
        };
        let header_text = decode(header)?;
        let unverified_header: UnverifiedHeader =
            json::object(&header_text).ok_or(Rejection::Malformed)?;
        if unverified_header.alg.as_deref() != Some(ALGORITHM) {
            return Err(Rejection::Algorithm);
        }
        if unverified_header.crit {
            return Err(Rejection::CriticalExtension);
        }
        Ok(Self {
            signing_input: &unverified_token[..header.len() + 1 + payload.len()],
            payload,
            signature,
            unverified_key_id: unverified_header.kid.map(Cow::into_owned),
        })
    }

    /// The claims as JSON text. Call it when the signature has been checked.
    pub(crate) fn claims_text(&self) -> Result<String, Rejection> {
        decode(self.payload)
    }
}

/// Refuses a text that is too long to be a token, before anything is done with it.
pub(crate) fn check_size(unverified_token: &str) -> Result<(), Rejection> {
    if unverified_token.len() > MAX_TOKEN_BYTES { Err(Rejection::Malformed) } else { Ok(()) }
}

pub(crate) fn decode(part: &str) -> Result<String, Rejection> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Rejection::Malformed)?;
    String::from_utf8(bytes).map_err(|_| Rejection::Malformed)
}

/// Whether a member is there at all, `null` included.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
