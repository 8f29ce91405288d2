//! What a token said of itself, in plain words: why it was refused and what to change.

use serde_json::Value;
use todo_adapter_scalekit::UnverifiedContents;
use todo_application::domain::Instant;
use todo_application::ports::Rejection;

use super::step::Step;
use super::{Identity, away};
use crate::doctor::Finding;
use crate::doctor::report::excerpt;

/// What an explanation is made from.
pub(super) struct Explanation<'a> {
    pub(super) contents: UnverifiedContents,
    pub(super) identity: &'a Identity,
    pub(super) now: Instant,
}

impl Explanation<'_> {
    /// A line for each check that was passed.
    pub(super) fn passed(&self, steps: &[Step]) -> Vec<Finding> {
        let line = |step: &Step| Finding::pass(step.name(), self.seen_in_passing(*step));
        steps.iter().map(line).collect()
    }

    fn seen_in_passing(&self, step: Step) -> String {
        let environment = &self.identity.environment;
        match step {
            Step::Form => "a well-formed JWT".to_owned(),
            Step::Header => "signed with RS256, no critical extension".to_owned(),
            Step::Key => format!("published at {}", environment.keys_url()),
            Step::Signature => "fits the key".to_owned(),
            Step::Issuer => self.issuer().unwrap_or_default(),
            Step::Audience => format!("holds {}", environment.resource_id()),
            Step::Expiry => {
                let good_for = self.expiry().map(|expiry| away(expiry, self.now));
                format!("good for another {}", good_for.unwrap_or_default())
            }
            Step::NotBefore => "has begun".to_owned(),
            Step::Subject => "is there".to_owned(),
            Step::Organization => self.names_one(["oid", "org_id"]),
            Step::Client => self.names_one(["client_id", "azp"]),
            Step::Scopes => "can be read".to_owned(),
        }
    }

    /// Whether a claim is there, without saying what it holds.
    fn names_one(&self, claims: [&str; 2]) -> String {
        let is_there = claims.iter().any(|claim| self.contents.claim(claim).is_some());
        if is_there { "names one" } else { "names none" }.to_owned()
    }

    /// What is wrong, in half a sentence.
    pub(super) fn seen(&self, rejection: &Rejection) -> String {
        match rejection {
            Rejection::Issuer => format!("says {}", self.issuer().unwrap_or_default()),
            Rejection::Audience => format!("is for {}", self.audiences().join(" and ")),
            Rejection::Expired(at) => format!("expired {} ago, at {at}", away(*at, self.now)),
            Rejection::NotYetValid(at) => {
                format!("is valid only in {}, at {at}", away(*at, self.now))
            }
            Rejection::Malformed
            | Rejection::Algorithm
            | Rejection::CriticalExtension
            | Rejection::UnknownKey
            | Rejection::Signature
            | Rejection::MissingClaim(_)
            | Rejection::MalformedClaim(_) => rejection.to_string(),
        }
    }

    /// What to change, naming the setting or the field of the dashboard.
    pub(super) fn advice(&self, rejection: &Rejection) -> String {
        match rejection {
            Rejection::Malformed => {
                "Give the whole access token: three parts with a dot between them. Authorization \
                 codes and refresh tokens are something else."
                    .to_owned()
            }
            Rejection::Algorithm | Rejection::CriticalExtension => {
                "Scalekit signs access tokens with RS256 and without extensions: this is a token of \
                 something else. Give the client no token by hand, and let it log in."
                    .to_owned()
            }
            Rejection::UnknownKey => self.unknown_key(),
            Rejection::Signature => {
                "It was changed or cut off on the way, when it was copied for instance: get it \
                 again. If it came like this from a client, somebody forged it."
                    .to_owned()
            }
            Rejection::Issuer => self.other_issuer(),
            Rejection::Audience => self.other_audience(),
            Rejection::MissingClaim("aud") => {
                "It is for no MCP server, like tokens of clients of an organization. Make the \
                 client in the dashboard, MCP Servers > your server > Clients."
                    .to_owned()
            }
            Rejection::Expired(_) => {
                "Get a new one. Clients do it by themselves if offline_access is offered (see \
                 `refresh`). If it was new, this machine's clock is ahead (see `clock`); how long \
                 tokens last is \"Access token lifetime\" of the MCP server in the dashboard."
                    .to_owned()
            }
            Rejection::NotYetValid(_) => {
                "This machine's clock is behind (see `clock`): set it, and turn on time \
                 synchronisation (NTP)."
                    .to_owned()
            }
            Rejection::MissingClaim(_) | Rejection::MalformedClaim(_) => {
                "No token of Scalekit for an MCP server is like this. If custom claims of its \
                 client in the dashboard replace this one, remove them; otherwise get a new token."
                    .to_owned()
            }
        }
    }

    fn unknown_key(&self) -> String {
        if self.is_of_another_issuer() {
            return self.other_issuer();
        }
        "Its key was rotated out, or it comes from something else that says to be this \
         environment: get a new token."
            .to_owned()
    }

    fn is_of_another_issuer(&self) -> bool {
        let issuer = self.issuer();
        issuer.is_some_and(|issuer| !self.identity.environment.issuers().contains(&issuer.as_str()))
    }

    fn other_issuer(&self) -> String {
        let issuer = self.issuer().unwrap_or_default();
        let environment = &self.identity.environment;
        if self.identity.is_local {
            return format!(
                "It says that {issuer} issued it, and the local identity is {}. For Scalekit set \
                 SCALEKIT_ENVIRONMENT_URL and SCALEKIT_RESOURCE_ID.",
                environment.url()
            );
        }
        let of_this_environment = issuer.strip_prefix(environment.url());
        match of_this_environment.and_then(|path| path.strip_prefix("/resources/")) {
            Some(resource_id) => self.other_resource(resource_id),
            None => format!(
                "It says that {issuer} issued it, and SCALEKIT_ENVIRONMENT_URL is {}. Set that to \
                 the environment of the token, or log in again if it is the right one.",
                environment.url()
            ),
        }
    }

    fn other_resource(&self, resource_id: &str) -> String {
        format!(
            "It is for the MCP server {resource_id}, and SCALEKIT_RESOURCE_ID is {}. Set that to \
             the id of this server in the dashboard, or get the token for this one.",
            self.identity.environment.resource_id()
        )
    }

    fn other_audience(&self) -> String {
        let audiences = self.audiences();
        let resource = audiences.iter().find(|audience| audience.starts_with("res_"));
        match resource {
            Some(resource_id) => self.other_resource(resource_id),
            None => format!(
                "It must hold {}, the SCALEKIT_RESOURCE_ID; a Server URL alone is not enough, as \
                 two MCP servers may share one. Compare SCALEKIT_RESOURCE_ID with the id of the MCP \
                 server in the dashboard, and let the client log in to that one.",
                self.identity.environment.resource_id()
            ),
        }
    }

    fn issuer(&self) -> Option<String> {
        self.contents.claim("iss")?.as_str().map(excerpt)
    }

    fn audiences(&self) -> Vec<String> {
        let audiences = match self.contents.claim("aud") {
            Some(Value::Array(audiences)) => audiences.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        audiences.iter().filter_map(Value::as_str).map(excerpt).take(5).collect()
    }

    fn expiry(&self) -> Option<Instant> {
        let seconds = self.contents.claim("exp")?;
        let seconds =
            seconds.as_i64().or_else(|| seconds.to_string().split('.').next()?.parse().ok());
        Instant::from_unix_millis(seconds?.checked_mul(1000)?).ok()
    }
}

/// A length of time in the largest unit that tells enough.
pub(super) fn span(seconds: i64) -> String {
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
