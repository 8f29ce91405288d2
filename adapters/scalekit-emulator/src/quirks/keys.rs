//! Deviations of the key set and of its endpoint.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::{Value, json};

use super::selection::{ForeignKey, KeysEndpoint};
use crate::json::JsonBody;

impl KeysEndpoint {
    /// The response instead of the key set.
    pub(super) fn response(self) -> Option<Response> {
        Some(match self {
            Self::Normal | Self::Held => return None,
            Self::Failing(status) => {
                let status =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let is_quota = status == StatusCode::TOO_MANY_REQUESTS;
                let code = if is_quota { "RATE_LIMITED" } else { "INTERNAL" };
                (status, JsonBody(json!({ "error_code": code }))).into_response()
            }
            Self::Empty => JsonBody(json!({ "keys": [] })).into_response(),
            Self::NotJson => Html("<!doctype html><title>Log in</title>").into_response(),
            Self::Malformed => JsonBody(json!({ "keys": "soon" })).into_response(),
        })
    }
}

impl ForeignKey {
    /// All but the malformed one are the examples of RFC 7517 appendix A, so their private keys are
    /// public.
    pub(super) fn jwk(self) -> Value {
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
                "n": "not base64url!", "e": "AQAB",
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
