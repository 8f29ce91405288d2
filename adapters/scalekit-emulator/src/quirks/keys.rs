//! What may be odd about the key set.

use serde_json::{Value, json};

/// What `/keys` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeysEndpoint {
    /// The key set.
    #[default]
    Normal,
    /// Nothing, until other quirks are set; then what those say. Stands for servers that let every
    /// request wait for the keys, or fetch them once for each. A shutdown waits for these answers
    /// too.
    Held,
    /// An error status: 500 for an outage, 429 for an environment whose quota is used up, perhaps by
    /// a server that fetched keys for every unknown key id. A number that is no status means 500.
    Failing(u16),
    /// A key set without keys. Stands for servers that throw the keys away that they had.
    Empty,
    /// An HTML page with status 200, as proxies and captive portals send.
    NotJson,
    /// JSON that is no key set.
    Malformed,
}

/// A key in the set that cannot have signed an access token. Readers that fail on one key, or take
/// the first one, lose the whole set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKey {
    /// A P-256 key.
    EllipticCurve,
    /// An RSA key with `"use": "enc"`: nothing that it verifies counts.
    RsaForEncryption,
    /// An RSA key whose modulus is not base64url.
    MalformedRsa,
    /// A shared secret, which has no business in public. A verifier that picks the algorithm by the
    /// token would accept what anybody signs with it.
    Symmetric,
}

impl ForeignKey {
    /// The key in the set (RFC 7517). All but the malformed one are the examples of that RFC's
    /// appendix A, so that everybody has their other half.
    pub(crate) fn jwk(self) -> Value {
        match self {
            Self::EllipticCurve => json!({
                "use": "sig", "kty": "EC", "kid": "snk_100000000000000001", "alg": "ES256",
                "crv": "P-256",
                "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
                "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            }),
            Self::RsaForEncryption => json!({
                "use": "enc", "kty": "RSA", "kid": "snk_100000000000000002", "alg": "RSA-OAEP-256",
                "n": concat!(
                    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxu",
                    "hDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN",
                    "5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5",
                    "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBni",
                    "Iqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
                ),
                "e": "AQAB",
            }),
            Self::MalformedRsa => json!({
                "use": "sig", "kty": "RSA", "kid": "snk_100000000000000003", "alg": "RS256",
                "n": "this is no number", "e": "AQAB",
            }),
            Self::Symmetric => json!({
                "use": "sig", "kty": "oct", "kid": "snk_100000000000000004", "alg": "HS256",
                "k": concat!(
                    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjA",
                    "zZr1Z9CAow",
                ),
            }),
        }
    }
}
