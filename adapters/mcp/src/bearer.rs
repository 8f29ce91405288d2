//! Whose request it is: the bearer token of the `Authorization` header, and nothing else.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use todo_application::ports::{Principal, TokenVerifier, VerificationError};

use crate::challenge::{Challenge, keys_unavailable};

/// The principal behind the request, or the answer to give instead.
pub(crate) async fn authenticate(
    headers: &HeaderMap,
    verifier: &dyn TokenVerifier,
    challenge: &Challenge,
) -> Result<Arc<dyn Principal>, Response> {
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    // Of several, proxies and servers disagree on which one counts, so none does.
    let only = credentials.next().filter(|_| credentials.next().is_none());
    let Some(unverified_token) = only.and_then(|only| bearer_token(only.as_bytes())) else {
        return Err(challenge.missing_token());
    };
    let Ok(unverified_token) = std::str::from_utf8(unverified_token) else {
        return Err(challenge.invalid_token("it is not a well-formed JWT"));
    };
    match verifier.verify(unverified_token).await {
        Ok(principal) => Ok(principal),
        Err(VerificationError::Rejected(reason)) => {
            tracing::debug!(%reason, "access token refused");
            Err(challenge.invalid_token(&reason.to_string()))
        }
        Err(VerificationError::Unavailable(cause)) => {
            tracing::warn!(%cause, "access tokens cannot be checked: no signing keys");
            Err(keys_unavailable())
        }
    }
}

/// The token of `Bearer <token>` (RFC 6750 §2.1). The scheme is case-insensitive (RFC 9110 §11.1);
/// another scheme, or none after it, is no token.
pub(crate) fn bearer_token(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = credentials.split_at_checked("Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::bearer_token;

    #[test]
    fn only_a_bearer_token_is_a_token() {
        assert_eq!(bearer_token(b"Bearer abc"), Some(&b"abc"[..]));
        assert_eq!(bearer_token(b"bEARER   abc "), Some(&b"abc"[..]));
        for other in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "abc", "B"] {
            assert_eq!(bearer_token(other.as_bytes()), None, "{other:?}");
        }
    }
}
