//! The bearer token of the `Authorization` header, the only source of a caller's identity.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};

use super::challenge::{Challenge, keys_unavailable};
use super::{AuthenticationError, Authenticator, Caller};
use crate::jsonrpc::Error;

/// Turns the headers of a request into its caller.
pub(crate) struct Authentication {
    authenticator: Arc<dyn Authenticator>,
    challenge: Challenge,
}

impl Authentication {
    pub(crate) fn new(authenticator: Arc<dyn Authenticator>, challenge: Challenge) -> Self {
        Self { authenticator, challenge }
    }

    /// The caller of the request. Fails with 401 or 403 and a challenge, or with 503.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Arc<Caller>, Error> {
        let mut credentials = headers.get_all(AUTHORIZATION).iter();
        // Proxies and servers disagree on which of several headers counts, so none does.
        let only = credentials.next().filter(|_| credentials.next().is_none());
        let Some(unverified_token) = only.and_then(|only| bearer_token(only.as_bytes())) else {
            return Err(self.challenge.missing_token(headers.get(HOST)));
        };
        let Ok(unverified_token) = std::str::from_utf8(unverified_token) else {
            return Err(self
                .challenge
                .invalid_token("it is not a well-formed JWT", headers.get(HOST)));
        };
        match self.authenticator.authenticate(unverified_token).await {
            Ok(caller) => Ok(caller),
            Err(AuthenticationError::Rejected(reason)) => {
                tracing::debug!(%reason, "access token rejected");
                Err(self.challenge.invalid_token(&reason.to_string(), headers.get(HOST)))
            }
            Err(AuthenticationError::Forbidden(reason)) => {
                tracing::debug!(%reason, "caller forbidden");
                Err(self.challenge.forbidden(reason, headers.get(HOST)))
            }
            Err(AuthenticationError::Unavailable(cause)) => {
                tracing::warn!(%cause, "access tokens cannot be verified: no signing keys");
                Err(keys_unavailable())
            }
        }
    }
}

/// The token of `Bearer <token>` (RFC 6750 section 2.1). The scheme is case-insensitive (RFC 9110 section
/// 11.1). `None` for another scheme or an empty token.
pub(crate) fn bearer_token(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = credentials.split_at_checked("Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::bearer_token;

    #[test]
    fn only_the_bearer_scheme_carries_a_token() {
        assert_eq!(bearer_token(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer_token(b"bEARER   abc "), Some(&b"abc"[..]));
        for other in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc", "B"] {
            assert_eq!(bearer_token(other.as_bytes()), None, "{other:?}");
        }
    }
}
