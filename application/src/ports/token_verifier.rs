use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use todo_domain::Instant;

use super::{BoxError, Principal};

/// Turns a bearer token into the principal it stands for.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// Checks signature, issuer, audience and lifetime. The token is never logged, stored or
    /// repeated in an error.
    async fn verify(&self, unverified_token: &str)
    -> Result<Arc<dyn Principal>, VerificationError>;
}

/// Why a token was not accepted.
#[derive(Debug, Error)]
pub enum VerificationError {
    /// The token is no good, whatever one waits for.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The issuer's keys are not to be had and none is known: nothing can be said about the token.
    /// Answering this as a rejection would make clients throw good tokens away.
    #[error("the issuer's signing keys are not available")]
    Unavailable(#[source] BoxError),
}

/// The first check that a token failed, in the order in which they are made.
///
/// The sentences go to the caller: they say which check it was and hold nothing of the token but
/// what is public in it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// Not three parts of base64url-encoded JSON (RFC 7519 §7.2).
    #[error("it is not a well-formed JWT")]
    Malformed,
    /// Signed with something other than RS256; `none` and HMAC among them (RFC 8725 §3.1).
    #[error("it is not signed with RS256")]
    Algorithm,
    /// The header asks for an extension that we do not know (RFC 7515 §4.1.11).
    #[error("its header names a critical extension that this server does not know")]
    CriticalExtension,
    /// No key of the issuer has its key id.
    #[error("it is signed with a key that its issuer does not publish")]
    UnknownKey,
    /// The signature does not fit.
    #[error("its signature is not valid")]
    Signature,
    /// A claim is missing.
    #[error("it has no `{0}` claim")]
    MissingClaim(&'static str),
    /// A claim has a type or value that no token of the issuer has.
    #[error("its `{0}` claim cannot be read")]
    MalformedClaim(&'static str),
    /// Another issuer.
    #[error("it was issued by someone else")]
    Issuer,
    /// For another resource (RFC 8707 §2).
    #[error("it was issued for another resource")]
    Audience,
    /// Its time is over.
    #[error("it expired at {0}")]
    Expired(Instant),
    /// Its time has not come.
    #[error("it is not valid before {0}")]
    NotYetValid(Instant),
}
