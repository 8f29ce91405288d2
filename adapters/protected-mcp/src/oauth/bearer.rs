//! The bearer token of the `Authorization` header, the only source of a caller's identity.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};

use super::challenge::{Challenge, keys_unavailable, overloaded};
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
                let error = self.challenge.invalid_token(&reason.to_string(), headers.get(HOST));
                Err(error.with_log_code(reason.code()))
            }
            Err(AuthenticationError::Forbidden(reason)) => {
                tracing::debug!(%reason, "caller forbidden");
                let error = self.challenge.forbidden(reason, headers.get(HOST));
                Err(error.with_log_code("caller_forbidden"))
            }
            Err(AuthenticationError::Overloaded) => Err(overloaded()),
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
    use async_trait::async_trait;
    use axum::http::StatusCode;
    use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};

    use super::*;

    /// Fails with what the token says.
    struct Failing;

    #[async_trait]
    impl Authenticator for Failing {
        async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, AuthenticationError> {
            Err(match token {
                "overloaded" => AuthenticationError::Overloaded,
                "unavailable" => AuthenticationError::Unavailable("no keys".into()),
                sentence => AuthenticationError::Forbidden(sentence.to_owned().into()),
            })
        }
    }

    #[tokio::test]
    async fn only_a_rejected_token_is_a_reason_to_get_another_one() {
        let url = "https://h".parse().unwrap();
        let challenge = Challenge::new(url, vec!["notes:read"]);
        let authentication = Authentication::new(Arc::new(Failing), challenge);
        let bare =
            "Bearer resource_metadata=\"https://h/.well-known/oauth-protected-resource/mcp\"";
        for (token, status, retry_after, challenge) in [
            ("overloaded", StatusCode::SERVICE_UNAVAILABLE, Some("1"), None),
            ("unavailable", StatusCode::SERVICE_UNAVAILABLE, Some("5"), None),
            ("Not here.", StatusCode::FORBIDDEN, None, Some(bare)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
            let error = authentication.caller(&headers).await.unwrap_err();
            let response = error.into_response(None);
            let header = |name| response.headers().get(name).map(|it| it.to_str().unwrap());
            assert_eq!(response.status(), status);
            assert_eq!((header(RETRY_AFTER), header(WWW_AUTHENTICATE)), (retry_after, challenge));
        }
    }

    #[test]
    fn only_the_bearer_scheme_carries_a_token() {
        assert_eq!(bearer_token(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer_token(b"bEARER   abc "), Some(&b"abc"[..]));
        for other in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc", "B"] {
            assert_eq!(bearer_token(other.as_bytes()), None, "{other:?}");
        }
    }
}
