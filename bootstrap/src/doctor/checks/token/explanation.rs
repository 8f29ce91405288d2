//! Why a token was rejected and what to change, from its unverified contents.

use scalekit::{InvalidToken, UnverifiedClaims};
use serde_json::Value;
use todo_application::domain::Instant;

use super::step::Step;
use crate::clock::instant;
use crate::doctor::finding::Finding;
use crate::doctor::issuer::Issuer;
use crate::http::excerpt;

pub(super) struct Explanation<'a> {
    pub(super) claims: UnverifiedClaims,
    pub(super) issuer: &'a Issuer,
    pub(super) now: Instant,
}

impl Explanation<'_> {
    /// A finding for each step that passed.
    pub(super) fn passed(&self, steps: &[Step]) -> Vec<Finding> {
        let finding = |step: &Step| Finding::pass(step.title(), self.passed_step(*step));
        steps.iter().map(finding).collect()
    }

    fn passed_step(&self, step: Step) -> String {
        let environment = &self.issuer.environment;
        match step {
            Step::Form => "a well-formed JWT".to_owned(),
            Step::Header => "signed with RS256, no critical extension".to_owned(),
            Step::Key => format!("published at {}", environment.keys_url()),
            Step::Signature => "valid".to_owned(),
            Step::Issuer => self.claimed_issuer().unwrap_or_default(),
            Step::Audience => format!("contains {}", environment.resource_id()),
            Step::Expiry => {
                let valid_for = self.date("exp").map(|expiry| self.distance(expiry));
                format!("valid for another {}", valid_for.unwrap_or_default())
            }
            Step::NotBefore => "in the past".to_owned(),
            Step::Age => match self.date("iat") {
                Some(issued_at) => format!("issued {} ago", self.distance(issued_at)),
                None => "unknown, and not needed".to_owned(),
            },
            Step::Binding => "none, it is a bearer token".to_owned(),
            Step::Subject => "present".to_owned(),
            Step::Organization => self.presence(["oid", "org_id"]),
            Step::Client => self.presence(["client_id", "azp"]),
            Step::Scopes => "well-formed".to_owned(),
        }
    }

    /// Whether one of the claims is present, without its value.
    fn presence(&self, claims: [&str; 2]) -> String {
        let is_present = claims.iter().any(|claim| self.claims.get(claim).is_some());
        if is_present { "present" } else { "missing" }.to_owned()
    }

    /// What is wrong.
    pub(super) fn seen(&self, rejection: &InvalidToken) -> String {
        match rejection {
            InvalidToken::Issuer => format!("is {}", self.claimed_issuer().unwrap_or_default()),
            InvalidToken::Audience => format!("is {}", self.audiences().join(" and ")),
            InvalidToken::Expired(at) => {
                format!("expired {} ago, at {}", self.distance(instant(*at)), instant(*at))
            }
            InvalidToken::NotYetValid(at) => {
                format!(
                    "not valid for another {}, until {}",
                    self.distance(instant(*at)),
                    instant(*at)
                )
            }
            InvalidToken::TooOld { issued_at, greatest } => format!(
                "issued {} ago, and accepted for {}",
                self.distance(instant(*issued_at)),
                span(i64::try_from(greatest.as_secs()).unwrap_or(i64::MAX))
            ),
            InvalidToken::Malformed
            | InvalidToken::Algorithm
            | InvalidToken::CriticalExtension
            | InvalidToken::UnknownKey
            | InvalidToken::Signature
            | InvalidToken::SenderConstrained
            | InvalidToken::MissingClaim(_)
            | InvalidToken::MalformedClaim(_) => rejection.to_string(),
        }
    }

    /// What to change: a setting, or a field of the dashboard.
    pub(super) fn advice(&self, rejection: &InvalidToken) -> String {
        match rejection {
            InvalidToken::Malformed => {
                "Pass the whole access token: three parts with dots between them. Authorization \
                 codes and refresh tokens are not access tokens."
                    .to_owned()
            }
            InvalidToken::Algorithm | InvalidToken::CriticalExtension => {
                "Scalekit signs access tokens with RS256 and without extensions: this token has \
                 another issuer. Let the client log in instead of configuring a token."
                    .to_owned()
            }
            InvalidToken::UnknownKey => self.unknown_key(),
            InvalidToken::Signature => {
                "The token was changed or truncated, for instance when it was copied: get it again. \
                 If a client sent it like this, it is forged."
                    .to_owned()
            }
            InvalidToken::Issuer => self.other_issuer(),
            InvalidToken::Audience => self.other_audience(),
            InvalidToken::MissingClaim("aud") => {
                "The token is not for an MCP server, like tokens of clients of an organization. \
                 Create the client in the dashboard, MCP Servers > your server > Clients."
                    .to_owned()
            }
            InvalidToken::Expired(_) => {
                "Get a new token. Clients do so by themselves if offline_access is offered (see \
                 `refresh`). If the token was new, this machine's clock is ahead (see `clock`). The \
                 dashboard sets \"Access token lifetime\" for each MCP server."
                    .to_owned()
            }
            InvalidToken::NotYetValid(_) => {
                "This machine's clock is behind (see `clock`): set it, and turn on time \
                 synchronisation (NTP)."
                    .to_owned()
            }
            InvalidToken::TooOld { .. } => {
                "Get a new token, or change TODO_MAX_TOKEN_AGE. Clients get one when theirs expires, so \
                 set \"Access token lifetime\" in the dashboard to no more than TODO_MAX_TOKEN_AGE."
                    .to_owned()
            }
            InvalidToken::MissingClaim("iat") => {
                "TODO_MAX_TOKEN_AGE is set, so a token must tell when it was issued, as those of Scalekit \
                 do. If a custom claim of the client in the dashboard replaces this claim, remove it."
                    .to_owned()
            }
            InvalidToken::SenderConstrained => {
                "Let the client get a bearer token, without DPoP and without a client certificate: this \
                 server cannot check the proof that belongs to this one."
                    .to_owned()
            }
            InvalidToken::MissingClaim(_) | InvalidToken::MalformedClaim(_) => {
                "Scalekit does not issue such tokens for MCP servers. If a custom claim of the \
                 client in the dashboard replaces this claim, remove it; otherwise get a new token."
                    .to_owned()
            }
        }
    }

    fn unknown_key(&self) -> String {
        if self.is_of_another_issuer() {
            return self.other_issuer();
        }
        "The key was rotated out, or the token comes from another issuer that claims to be this \
         environment: get a new token."
            .to_owned()
    }

    fn is_of_another_issuer(&self) -> bool {
        let issuer = self.claimed_issuer();
        issuer.is_some_and(|issuer| !self.issuer.environment.issuers().contains(&issuer.as_str()))
    }

    fn other_issuer(&self) -> String {
        let issuer = self.claimed_issuer().unwrap_or_default();
        let environment = &self.issuer.environment;
        if self.issuer.is_local {
            return format!(
                "The issuer of the token is {issuer}, and the local identity is {}. For tokens of \
                 Scalekit, set SCALEKIT_ENVIRONMENT_URL and SCALEKIT_RESOURCE_ID.",
                environment.url()
            );
        }
        let of_this_environment = issuer.strip_prefix(environment.url());
        match of_this_environment.and_then(|path| path.strip_prefix("/resources/")) {
            Some(resource_id) => self.other_resource(resource_id),
            None => format!(
                "The issuer of the token is {issuer}, and SCALEKIT_ENVIRONMENT_URL is {}. Set it to \
                 the environment of the token, or log in again if it is right.",
                environment.url()
            ),
        }
    }

    fn other_resource(&self, resource_id: &str) -> String {
        format!(
            "The token is for the MCP server {resource_id}, and SCALEKIT_RESOURCE_ID is {}. Set it to \
             the id of this server in the dashboard, or get a token for this server.",
            self.issuer.environment.resource_id()
        )
    }

    fn other_audience(&self) -> String {
        let audiences = self.audiences();
        let resource = audiences.iter().find(|audience| audience.starts_with("res_"));
        match resource {
            Some(resource_id) => self.other_resource(resource_id),
            None => format!(
                "It must contain {}, the SCALEKIT_RESOURCE_ID; a Server URL alone is not enough, \
                 because two MCP servers may share one. Compare SCALEKIT_RESOURCE_ID with the id of \
                 the MCP server in the dashboard, and let the client log in to that server.",
                self.issuer.environment.resource_id()
            ),
        }
    }

    fn claimed_issuer(&self) -> Option<String> {
        self.claims.get("iss")?.as_str().map(excerpt)
    }

    fn audiences(&self) -> Vec<String> {
        let audiences = match self.claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        audiences.iter().filter_map(Value::as_str).map(excerpt).take(5).collect()
    }

    /// The instant in a claim.
    fn date(&self, claim: &str) -> Option<Instant> {
        let seconds = self.claims.get(claim)?;
        let seconds =
            seconds.as_i64().or_else(|| seconds.to_string().split('.').next()?.parse().ok());
        Instant::from_unix_millis(seconds?.checked_mul(1000)?).ok()
    }

    /// The time between now and an instant.
    fn distance(&self, instant: Instant) -> String {
        span((instant.as_unix_millis() - self.now.as_unix_millis()).abs() / 1000)
    }
}

/// A duration in one unit, with at least two digits where possible.
fn span(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests;
