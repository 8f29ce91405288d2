//! An issuer of access tokens under the control of a test, which signs any claims.
//!
//! The emulator behaves as Scalekit does; this one forges tokens and lets them expire.

use std::net::SocketAddr;
use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The resource id for which tokens are issued.
pub const RESOURCE_ID: &str = "res_40506070809";

/// The id of the published key.
pub const KEY_ID: &str = "snk_1";

/// A running issuer: `{url}/keys` is its key set.
#[derive(Debug, Clone)]
pub struct TestIssuer {
    url: String,
}

impl TestIssuer {
    /// Starts an issuer on a free port. It stops with the runtime of the test.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = format!("{url}/resources/{RESOURCE_ID}");
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{url}/keys") }).to_string();
        let path = format!("/.well-known/oauth-authorization-server/resources/{RESOURCE_ID}");
        let router = Router::new()
            .route("/keys", get(async || published_key().key_set().to_string()))
            .route(&path, get(async move || metadata));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Claims of a valid token for `subject` of `organization`.
    pub fn claims(&self, subject: &str, organization: Option<&str>, scope: &str) -> Value {
        let mut claims = json!({
            "iss": self.url,
            "aud": ["http://localhost/", RESOURCE_ID],
            "sub": subject,
            "client_id": "m2m_test",
            "scope": scope,
            "scopes": scope.split_whitespace().collect::<Vec<_>>(),
            "iat": now(),
            "nbf": now(),
            "exp": now() + 3600,
            "jti": "tkn_1",
        });
        if let Some(organization) = organization {
            claims["oid"] = organization.into();
        }
        claims
    }

    /// Signs claims with the published key.
    pub fn sign(&self, claims: &Value) -> String {
        signed(claims)
    }
}

/// A token with these claims, signed with the published key.
pub fn signed(claims: &Value) -> String {
    published_key().sign(&header(Algorithm::RS256, KEY_ID), claims)
}

/// A JWT header like those of Scalekit.
pub fn header(algorithm: Algorithm, key_id: &str) -> Header {
    Header { kid: Some(key_id.to_owned()), ..Header::new(algorithm) }
}

/// A JWT with this header and no signature, as with `alg: none`.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.", part(header), part(claims))
}

/// An RSA key, and its public half in the two forms that an attacker can obtain.
pub struct TestKey {
    private: EncodingKey,
    private_pem: String,
    modulus: String,
    exponent: String,
    public_pem: String,
}

impl TestKey {
    fn generate() -> Self {
        Self::new(&KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// Reads a private key as PKCS #8 PEM, as `openssl genpkey -algorithm RSA` writes it.
    pub fn from_pem(pem: &str) -> Self {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Self::new(&KeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap())
    }

    fn new(pair: &KeyPair) -> Self {
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let pem = |label: &str, der: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
        };
        let private = pem("PRIVATE KEY", der.as_ref());
        let public = pair.public_key();
        let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        Self {
            private: EncodingKey::from_rsa_pem(private.as_bytes()).unwrap(),
            private_pem: private,
            modulus: encode(public.modulus().big_endian_without_leading_zero()),
            exponent: encode(public.exponent().big_endian_without_leading_zero()),
            public_pem: pem("RSA PUBLIC KEY", public.as_ref()),
        }
    }

    /// The public key as an attacker would embed it in a token's header.
    pub fn jwk(&self) -> Value {
        json!({ "kty": "RSA", "n": self.modulus, "e": self.exponent })
    }

    pub fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.private).unwrap()
    }

    /// The public key as PEM, which a forger uses as the shared secret of an HMAC.
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// The form that [`from_pem`](Self::from_pem) reads.
    pub fn private_pem(&self) -> &str {
        &self.private_pem
    }

    fn key_set(&self) -> Value {
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID,
            "n": self.modulus, "e": self.exponent,
        }]})
    }
}

/// The key that every test issuer publishes. Generating a key is slow, so a test binary generates
/// two.
pub fn published_key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(TestKey::generate)
}

/// A key that is not published.
pub fn foreign_key() -> &'static TestKey {
    static KEY: OnceLock<TestKey> = OnceLock::new();
    KEY.get_or_init(TestKey::generate)
}

/// Seconds since 1970, by the clock of the server under test.
pub fn now() -> i64 {
    use todo_application::ports::Clock as _;
    todo_mcp::SystemClock.now().as_unix_seconds()
}
