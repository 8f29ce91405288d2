//! Keys and tokens as a Scalekit environment makes them, and as an attacker would.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// The time of the tests, in seconds since 1970.
pub(crate) const NOW: u64 = 1_795_340_000;
pub(crate) const RESOURCE_ID: &str = "res_1";

/// Generated once for a test binary: it takes as long as a thousand signatures.
pub(crate) static FIRST_KEY: LazyLock<TestKey> = LazyLock::new(|| TestKey::new("snk_1"));
pub(crate) static SECOND_KEY: LazyLock<TestKey> = LazyLock::new(|| TestKey::new("snk_2"));

pub(crate) struct TestKey {
    pub(crate) id: &'static str,
    pair: RsaKeyPair,
}

impl TestKey {
    fn new(id: &'static str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
        Self { id, pair }
    }

    pub(crate) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": base64url(public.modulus().big_endian_without_leading_zero()),
            "e": base64url(public.exponent().big_endian_without_leading_zero()),
        })
    }

    pub(crate) fn public_der(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.id, "typ": "JWT"})
    }

    /// A token with these claims and a matching header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), claims.to_string())
    }

    /// A token with any header and payload, signed with RS256 whatever the header says.
    pub(crate) fn token_of(&self, header: &str, payload: impl AsRef<[u8]>) -> String {
        self.token_signed_with(&RSA_PKCS1_SHA256, header, payload)
    }

    pub(crate) fn ps256_token(&self, header: &str, payload: impl AsRef<[u8]>) -> String {
        self.token_signed_with(&RSA_PSS_SHA256, header, payload)
    }

    pub(crate) fn rs512_token(&self, header: &str, payload: impl AsRef<[u8]>) -> String {
        self.token_signed_with(&RSA_PKCS1_SHA512, header, payload)
    }

    fn token_signed_with(
        &self,
        encoding: &'static dyn RsaEncoding,
        header: &str,
        payload: impl AsRef<[u8]>,
    ) -> String {
        let signing_input = signing_input(header, payload);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(encoding, &SystemRandom::new(), signing_input.as_bytes(), &mut signature)
            .expect("a signature");
        format!("{signing_input}.{}", base64url(signature))
    }
}

pub(crate) fn signing_input(header: &str, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", base64url(header), base64url(payload))
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The decoded text of a part of a token.
pub(crate) fn text_of(part: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    String::from_utf8(bytes).expect("a text")
}

pub(crate) fn key_set(keys: &[&Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The claims of a valid user token, as Scalekit writes them.
pub(crate) fn user_claims(environment_url: &str) -> Value {
    json!({
        "aud": ["http://localhost:3002/", RESOURCE_ID],
        "client_id": "m2m_1",
        "iss": environment_url,
        "sub": "usr_1",
        "oid": "org_1",
        "resid": RESOURCE_ID,
        "roles": ["admin"],
        "scope": "openid offline_access notes:read",
        "scopes": ["openid", "offline_access", "notes:read"],
        "sid": "ses_1",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 3600,
        "jti": "tkn_1",
    })
}

/// `claims` with the members of `changes` set, or removed where they are `null`.
pub(crate) fn changed(mut claims: Value, changes: &Value) -> Value {
    let members = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}
