//! The key that signs access tokens.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::identifiers::identifier;

/// A private key as it is in the state file. It has no `Debug`, to keep it out of logs.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    kid: String,
    /// PKCS#8 in PEM.
    private_key: String,
}

impl StoredKey {
    /// A new RSA key of 2048 bits. Blocks for up to a second.
    pub(crate) fn generate() -> Result<Self, Unspecified> {
        let der: Pkcs8V1Der<'_> = KeyPair::generate(KeySize::Rsa2048)?.as_der()?;
        Ok(Self { kid: identifier("snk"), private_key: pem("PRIVATE KEY", der.as_ref()) })
    }
}

/// Signs with RS256, as Scalekit does.
pub(crate) struct SigningKey {
    key: EncodingKey,
    jwk: Jwk,
    header: Header,
}

impl SigningKey {
    /// Fails if it is not a usable RSA private key. The error holds nothing of the key.
    pub(crate) fn new(stored: &StoredKey) -> Result<Self, jsonwebtoken::errors::Error> {
        let key = EncodingKey::from_rsa_pem(stored.private_key.as_bytes())?;
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::RS256)?;
        jwk.common.key_id = Some(stored.kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(stored.kid.clone());
        jsonwebtoken::encode(&header, &(), &key)?;
        Ok(Self { key, jwk, header })
    }

    /// `claims` as a JWT with `alg`, `kid` and `typ: JWT`.
    #[expect(
        clippy::expect_used,
        reason = "the key signed when it was loaded, and claims are plain data"
    )]
    pub(crate) fn sign(&self, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.key).expect("a tested key signs")
    }

    /// The claims of a token that this key has signed, otherwise unchecked.
    pub(crate) fn read<T: DeserializeOwned + Clone>(&self, token: &str) -> Option<T> {
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        // The library would read the system's clock; here the time comes from the options.
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let key = DecodingKey::from_jwk(&self.jwk).ok()?;
        jsonwebtoken::decode(token, &key, &signature_only).ok().map(|data| data.claims)
    }

    /// The public key (RFC 7517).
    pub(crate) fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

/// The textual encoding of RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut lines = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        lines.extend(line.iter().copied().map(char::from));
        lines.push('\n');
    }
    lines + &format!("-----END {label}-----\n")
}
