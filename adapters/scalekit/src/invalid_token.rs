//! Why a token is not accepted.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use protected_mcp::{AuthenticationError, BoxError, Rejection};
use thiserror::Error;

/// The first check that a token failed; the variants are in the order of the checks.
///
/// Each sentence completes "The access token was refused: " for the caller. It repeats nothing of the
/// token except an instant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidToken {
    /// Not three parts of base64url-encoded JSON (RFC 7519 section 7.2), or longer than 16 KiB.
    #[error("it is not a well-formed JWT")]
    Malformed,
    /// Any algorithm but RS256, `none` and HMAC included (RFC 8725 section 3.1).
    #[error("it is not signed with RS256")]
    Algorithm,
    /// The header has `crit` (RFC 7515 section 4.1.11); this crate implements no extension.
    #[error("its header names a critical extension that this server does not know")]
    CriticalExtension,
    #[error("it is signed with a key that its issuer does not publish")]
    UnknownKey,
    #[error("its signature is not valid")]
    Signature,
    #[error("it has no `{0}` claim")]
    MissingClaim(&'static str),
    /// The claim has a type or a value that no token of Scalekit has.
    #[error("its `{0}` claim cannot be read")]
    MalformedClaim(&'static str),
    #[error("it was issued by someone else")]
    Issuer,
    /// Issued for another resource (RFC 8707 section 2).
    #[error("it was issued for another resource")]
    Audience,
    #[error("it expired at {}", rfc3339(.0))]
    Expired(SystemTime),
    #[error("it is not valid before {}", rfc3339(.0))]
    NotYetValid(SystemTime),
    /// Valid for longer than this server accepts tokens.
    #[error("it was issued at {}, and this server accepts tokens for {} s", rfc3339(issued_at), greatest.as_secs())]
    TooOld { issued_at: SystemTime, greatest: Duration },
    /// It is bound to a key of its client, by `DPoP` (RFC 9449 section 6) or mutual TLS (RFC 8705 section
    /// 3). Without the proof of possession, anyone could use it who finds it.
    #[error(
        "it is bound to a key of its client (its `cnf` claim), which this server cannot check: it \
         accepts bearer tokens only"
    )]
    SenderConstrained,
}

/// Why a token could not be verified.
#[derive(Debug, Error)]
pub enum VerificationError {
    #[error(transparent)]
    Invalid(#[from] InvalidToken),
    /// No signing key is known and none can be fetched, so the token may well be valid.
    #[error("the issuer's signing keys are not available")]
    KeysUnavailable(#[source] BoxError),
    /// Too many tokens are waiting for their verification, so this one may well be valid.
    #[error("too many new tokens are being verified")]
    Overloaded,
    /// The token is valid, and its client is not one of those that may call.
    #[error("{}", not_allowed(.0.as_deref()))]
    ClientNotAllowed(Option<Arc<str>>),
}

impl InvalidToken {
    /// A stable word for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::CriticalExtension => "critical_extension",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::MissingClaim(_) => "missing_claim",
            Self::MalformedClaim(_) => "malformed_claim",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired(_) => "expired",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::TooOld { .. } => "too_old",
            Self::SenderConstrained => "sender_constrained",
        }
    }
}

impl VerificationError {
    /// A stable word for metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(reason) => reason.code(),
            Self::KeysUnavailable(_) => "keys_unavailable",
            Self::Overloaded => "overloaded",
            Self::ClientNotAllowed(_) => "client_not_allowed",
        }
    }
}

impl From<InvalidToken> for Rejection {
    fn from(reason: InvalidToken) -> Self {
        Self::new(reason.code(), reason.to_string())
    }
}

impl From<VerificationError> for AuthenticationError {
    fn from(error: VerificationError) -> Self {
        match error {
            VerificationError::Invalid(reason) => Self::Rejected(reason.into()),
            VerificationError::KeysUnavailable(cause) => Self::Unavailable(cause),
            VerificationError::Overloaded => Self::Overloaded,
            VerificationError::ClientNotAllowed(client) => {
                Self::Forbidden(not_allowed(client.as_deref()).into())
            }
        }
    }
}

/// For the person who uses the client, and who cannot change the list of clients.
fn not_allowed(client: Option<&str>) -> String {
    /// A client id may be a long URL.
    const LONGEST: usize = 200;
    let client = match client {
        Some(id) => format!("The client `{}`", id.chars().take(LONGEST).collect::<String>()),
        None => "A client without an id".to_owned(),
    };
    format!("{client} is not allowed to use this server. Ask the server's operator to allow it.")
}

/// UTC with three decimals: `2026-11-22T09:30:00.000Z`.
fn rfc3339(instant: &SystemTime) -> String {
    // Instants come from claims, which are read only within the range of `Timestamp`.
    Timestamp::try_from(*instant).map(|instant| format!("{instant:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rejection_carries_the_code_and_the_sentence() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_340_000_007);
        for (reason, code, sentence) in [
            (InvalidToken::Malformed, "malformed", "it is not a well-formed JWT"),
            (InvalidToken::MissingClaim("aud"), "missing_claim", "it has no `aud` claim"),
            (InvalidToken::Expired(at), "expired", "it expired at 2026-11-22T09:33:20.007Z"),
            (
                InvalidToken::NotYetValid(SystemTime::UNIX_EPOCH),
                "not_yet_valid",
                "it is not valid before 1970-01-01T00:00:00.000Z",
            ),
        ] {
            let rejection = Rejection::from(reason);
            assert_eq!((rejection.code(), rejection.to_string().as_str()), (code, sentence));
        }
    }
}
