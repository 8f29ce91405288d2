//! The checks of the verifier, in its order: `ScalekitTokenVerifier` and the table of claims of the
//! Scalekit adapter say it, and `tests/doctor/tokens.rs` holds this list against them.

use todo_application::ports::Rejection;

/// One check of the verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Form,
    Header,
    Key,
    Signature,
    Issuer,
    Audience,
    Expiry,
    NotBefore,
    Subject,
    Organization,
    Client,
    Scopes,
}

impl Step {
    /// The first one.
    pub(super) const FIRST: Self = Self::Form;

    /// Every check, in the order in which they are made.
    pub(super) const ALL: &[Self] = &[
        Self::Form,
        Self::Header,
        Self::Key,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::Expiry,
        Self::NotBefore,
        Self::Subject,
        Self::Organization,
        Self::Client,
        Self::Scopes,
    ];

    /// What has passed when this one fails.
    pub(super) fn before(failed: Self) -> &'static [Self] {
        let position = Self::ALL.iter().position(|step| *step == failed);
        &Self::ALL[..position.unwrap_or_default()]
    }

    /// The check that a rejection is about.
    pub(super) fn of(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::Malformed => Self::Form,
            Rejection::Algorithm | Rejection::CriticalExtension => Self::Header,
            Rejection::UnknownKey => Self::Key,
            Rejection::Signature => Self::Signature,
            Rejection::Issuer => Self::Issuer,
            Rejection::Audience => Self::Audience,
            Rejection::Expired(_) => Self::Expiry,
            Rejection::NotYetValid(_) => Self::NotBefore,
            Rejection::MissingClaim(claim) | Rejection::MalformedClaim(claim) => {
                Self::of_claim(claim)
            }
        }
    }

    fn of_claim(claim: &str) -> Self {
        match claim {
            "iss" => Self::Issuer,
            "aud" => Self::Audience,
            "exp" => Self::Expiry,
            "nbf" | "iat" => Self::NotBefore,
            "sub" => Self::Subject,
            "oid" | "org_id" => Self::Organization,
            "client_id" | "azp" => Self::Client,
            "scope" | "scopes" | "scp" => Self::Scopes,
            // No claim that the verifier looks at.
            _ => Self::Form,
        }
    }

    /// How it is called in the report.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Form => "token: form",
            Self::Header => "token: header",
            Self::Key => "token: key",
            Self::Signature => "token: signature",
            Self::Issuer => "token: issuer",
            Self::Audience => "token: audience",
            Self::Expiry => "token: expiry",
            Self::NotBefore => "token: not before",
            Self::Subject => "token: subject",
            Self::Organization => "token: organization",
            Self::Client => "token: client",
            Self::Scopes => "token: scopes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_a_check_has_passed() {
        assert_eq!(Step::before(Step::Form), []);
        assert_eq!(Step::before(Step::Key), [Step::Form, Step::Header]);
        assert_eq!(Step::of(&Rejection::MissingClaim("aud")), Step::Audience);
        assert_eq!(Step::of(&Rejection::MalformedClaim("iat")), Step::NotBefore);
    }
}
