//! The steps of the verifier, in its order. `tests/doctor/tokens.rs` compares this list with the
//! verifier.

use scalekit::InvalidToken;

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
    Age,
    Binding,
    Subject,
    Organization,
    Client,
    Scopes,
}

impl Step {
    pub(super) const FIRST: Self = Self::Form;

    pub(super) const ALL: &[Self] = &[
        Self::Form,
        Self::Header,
        Self::Key,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::Expiry,
        Self::NotBefore,
        Self::Age,
        Self::Binding,
        Self::Subject,
        Self::Organization,
        Self::Client,
        Self::Scopes,
    ];

    /// The steps that have passed when this one fails.
    pub(super) fn before(failed: Self) -> &'static [Self] {
        let position = Self::ALL.iter().position(|step| *step == failed);
        &Self::ALL[..position.unwrap_or_default()]
    }

    /// The check that a token failed.
    pub(super) fn of(reason: &InvalidToken) -> Self {
        match reason {
            InvalidToken::Malformed => Self::Form,
            InvalidToken::Algorithm | InvalidToken::CriticalExtension => Self::Header,
            InvalidToken::UnknownKey => Self::Key,
            InvalidToken::Signature => Self::Signature,
            InvalidToken::Issuer => Self::Issuer,
            InvalidToken::Audience => Self::Audience,
            InvalidToken::Expired(_) => Self::Expiry,
            InvalidToken::NotYetValid(_) => Self::NotBefore,
            // Required only where tokens have a greatest age.
            InvalidToken::TooOld { .. } | InvalidToken::MissingClaim("iat") => Self::Age,
            InvalidToken::SenderConstrained => Self::Binding,
            InvalidToken::MissingClaim(claim) | InvalidToken::MalformedClaim(claim) => {
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
            // The verifier reads no other claim.
            _ => Self::Form,
        }
    }

    /// The title of the check in the report.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Form => "token: form",
            Self::Header => "token: header",
            Self::Key => "token: key",
            Self::Signature => "token: signature",
            Self::Issuer => "token: issuer",
            Self::Audience => "token: audience",
            Self::Expiry => "token: expiry",
            Self::NotBefore => "token: not before",
            Self::Age => "token: age",
            Self::Binding => "token: binding",
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
    fn a_rejection_belongs_to_one_step_and_the_steps_before_it_have_passed() {
        assert_eq!(Step::before(Step::Form), []);
        assert_eq!(Step::before(Step::Key), [Step::Form, Step::Header]);
        assert_eq!(Step::of(&InvalidToken::MissingClaim("aud")), Step::Audience);
        assert_eq!(Step::of(&InvalidToken::MalformedClaim("iat")), Step::NotBefore);
    }
}
