use std::borrow::Cow;
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use super::{BoxError, Caller};

/// Turns a bearer token into the caller it stands for.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Verifies the token: signature, issuer, audience, lifetime. The token must never be logged,
    /// stored or repeated in an error.
    async fn authenticate(
        &self,
        unverified_token: &str,
    ) -> Result<Arc<Caller>, AuthenticationError>;
}

#[derive(Debug, Error)]
pub enum AuthenticationError {
    /// The token is invalid, now and later: HTTP 401 with a challenge.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The token cannot be verified at the moment, because no signing key of its issuer is known and
    /// none can be fetched: HTTP 503. A 401 would make clients discard a good token.
    #[error("the issuer's signing keys are not available")]
    Unavailable(#[source] BoxError),
    /// The token cannot be verified at the moment, because too many others are being verified: HTTP 503,
    /// for the same reason.
    #[error("too many access tokens are being verified")]
    Overloaded,
    /// The token is valid, and its caller may do nothing here, whatever the token: HTTP 403, with this
    /// sentence for the person who uses the client.
    #[error("{0}")]
    Forbidden(Cow<'static, str>),
}

/// The check that a token failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{sentence}")]
pub struct Rejection {
    code: &'static str,
    sentence: Cow<'static, str>,
}

impl Rejection {
    /// `code` is a stable word for logs and metrics, such as `expired`. `sentence` completes "The
    /// access token was refused: " for the caller, as in "it expired at 2026-11-27T12:00:00Z"; it
    /// must hold nothing secret of the token.
    pub fn new(code: &'static str, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { code, sentence: sentence.into() }
    }

    pub fn code(&self) -> &'static str {
        self.code
    }
}
