//! The key that signs access tokens.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    error::Unspecified,
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, PublicKeyUse},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::identifiers::identifier;

/// A private key as it is written to the state file. Has no `Debug`: it must not end up in a log.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    kid: String,
    /// PKCS#8 in PEM.
    private_key: String,
}

impl StoredKey {
    /// Makes a new RSA key of 2048 bits. Takes a good part of a second: not for an async worker.
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
    /// # Errors
    ///
    /// What is not a usable RSA private key. Nothing of the key is in the error.
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
        reason = "the key has signed when it was loaded, and claims are plain data"
    )]
    pub(crate) fn sign(&self, claims: &impl Serialize) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.key).expect("a tried key signs")
    }

    /// The claims of a token that this key has signed. What they say is the caller's to check.
    pub(crate) fn read<T: DeserializeOwned + Clone>(&self, token: &str) -> Option<T> {
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        // The library would ask the system's clock, and time comes from the options here.
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let key = DecodingKey::from_jwk(&self.jwk).ok()?;
        jsonwebtoken::decode(token, &key, &signature_only).ok().map(|data| data.claims)
    }

    /// The public half (RFC 7517).
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
