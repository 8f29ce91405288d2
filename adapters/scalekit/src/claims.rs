//! What a signed token must say to be one of ours, in the order in which it is checked:
//!
//! | claim | rule | else |
//! |---|---|---|
//! | `iss` | one of the environment's two issuers, byte for byte | `Issuer` |
//! | `aud` | is or holds the resource id; the server's URL alone is not enough | `Audience` |
//! | `exp` | required; now lies before it, no leeway (RFC 7519 §4.1.4) | `Expired` |
//! | `nbf` | at most 60 s ahead of now (§4.1.5) | `NotYetValid` |
//! | `iat` | at most 60 s ahead of now (§4.1.6) | `NotYetValid` |
//! | `sub` | required, 1 to 255 bytes | `MalformedClaim` |
//! | `oid`, else `org_id` | 1 to 255 bytes; machines have none | `MalformedClaim` |
//! | `client_id`, else `azp` | 1 to 2048 bytes | `MalformedClaim` |
//! | `scope`, `scopes`, `scp` | what they grant together; none is fine | `MalformedClaim` |
//!
//! A required claim that is missing is `MissingClaim`, any claim of another type `MalformedClaim`.
//! A claim that is `null` is missing: that is how some encoders write an empty field. Other claims
//! are not looked at.
//!
//! The audience is the resource id because it alone is unique: two resources may be registered with
//! one URL, `http://localhost:3002/` for instance. `exp` has no leeway since nothing is lost by
//! refreshing a token early; `nbf` has one since Scalekit sets it to the second of issue, and a
//! clock that is a second behind would refuse every fresh token.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use todo_application::domain::{
    ClientId, IdentifierError, Instant, Organization, Permission, Permissions,
};
use todo_application::ports::Rejection;

use crate::lifetime::Lifetime;
use crate::{ScalekitEnvironment, VerifiedToken, json};

/// The claims of a token whose signature is good, each still as JSON text: that way a claim of the
/// wrong type is found by name, when its turn comes. A claim that is there twice is refused.
#[derive(Deserialize)]
pub(crate) struct SignedClaims<'a> {
    #[serde(borrow)]
    iss: Option<&'a RawValue>,
    aud: Option<&'a RawValue>,
    exp: Option<&'a RawValue>,
    nbf: Option<&'a RawValue>,
    iat: Option<&'a RawValue>,
    sub: Option<&'a RawValue>,
    oid: Option<&'a RawValue>,
    org_id: Option<&'a RawValue>,
    client_id: Option<&'a RawValue>,
    azp: Option<&'a RawValue>,
    scope: Option<&'a RawValue>,
    scopes: Option<&'a RawValue>,
    scp: Option<&'a RawValue>,
}

/// A claim's name, and its text if it is there.
type Claim<'a> = (&'static str, Option<&'a RawValue>);

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrList<'a> {
    Text(#[serde(borrow)] Text<'a>),
    List(#[serde(borrow)] Vec<Text<'a>>),
}

impl<'a> SignedClaims<'a> {
    /// Reads the payload of a token whose signature is good.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Rejection> {
        json::object(text).ok_or(Rejection::Malformed)
    }

    /// Checks every rule and keeps what the application needs.
    pub(crate) fn check(
        &self,
        environment: &ScalekitEnvironment,
        now: Instant,
    ) -> Result<VerifiedToken, Rejection> {
        self.check_issuer(environment)?;
        self.check_audience(environment)?;
        let lifetime = self.check_lifetime(now)?;
        Ok(VerifiedToken {
            subject: identifier(("sub", self.sub))?.ok_or(Rejection::MissingClaim("sub"))?,
            organization: self.organization()?,
            client: self.client()?,
            permissions: self.permissions()?,
            lifetime,
        })
    }

    fn check_issuer(&self, environment: &ScalekitEnvironment) -> Result<(), Rejection> {
        let Text(issuer) = required(("iss", self.iss))?;
        if environment.issuers().contains(&issuer.as_ref()) {
            Ok(())
        } else {
            Err(Rejection::Issuer)
        }
    }

    fn check_audience(&self, environment: &ScalekitEnvironment) -> Result<(), Rejection> {
        let is_ours = |Text(audience): &Text| audience == environment.resource_id();
        let is_for_us = match required(("aud", self.aud))? {
            TextOrList::Text(audience) => is_ours(&audience),
            TextOrList::List(audiences) => audiences.iter().any(is_ours),
        };
        if is_for_us { Ok(()) } else { Err(Rejection::Audience) }
    }

    fn check_lifetime(&self, now: Instant) -> Result<Lifetime, Rejection> {
        let expires_at = numeric_date(("exp", self.exp))?.ok_or(Rejection::MissingClaim("exp"))?;
        let mut lifetime = Lifetime::until(expires_at);
        lifetime.check(now)?;
        for claim in [("nbf", self.nbf), ("iat", self.iat)] {
            if let Some(begins_at) = numeric_date(claim)? {
                lifetime = lifetime.not_before(begins_at);
                lifetime.check(now)?;
            }
        }
        Ok(lifetime)
    }

    /// Scalekit's tokens carry `oid`; `org_id` is what other readers of them look for.
    fn organization(&self) -> Result<Option<Organization>, Rejection> {
        identifier(if self.oid.is_some() { ("oid", self.oid) } else { ("org_id", self.org_id) })
    }

    fn client(&self) -> Result<Option<ClientId>, Rejection> {
        identifier(if self.client_id.is_some() {
            ("client_id", self.client_id)
        } else {
            ("azp", self.azp)
        })
    }

    /// User tokens carry `scope` and `scopes`, machine tokens of an organization only `scopes`;
    /// `scp` is what other issuers call it. All of them are signed, so the union is granted.
    fn permissions(&self) -> Result<Permissions, Rejection> {
        let mut permissions = Permissions::default();
        for claim in [("scope", self.scope), ("scopes", self.scopes), ("scp", self.scp)] {
            let granted: Permissions = match optional(claim)? {
                // Scopes in one string are separated by spaces (RFC 6749 §3.3).
                Some(TextOrList::Text(Text(scopes))) => {
                    scopes.split_ascii_whitespace().filter_map(Permission::from_scope).collect()
                }
                Some(TextOrList::List(scopes)) => {
                    scopes.iter().filter_map(|Text(scope)| Permission::from_scope(scope)).collect()
                }
                None => continue,
            };
            permissions = granted.iter().fold(permissions, Permissions::with);
        }
        Ok(permissions)
    }
}

fn optional<'a, T: Deserialize<'a>>((name, value): Claim<'a>) -> Result<Option<T>, Rejection> {
    value
        .map(|value| serde_json::from_str(value.get()))
        .transpose()
        .map_err(|_| Rejection::MalformedClaim(name))
}

fn required<'a, T: Deserialize<'a>>(claim: Claim<'a>) -> Result<T, Rejection> {
    optional(claim)?.ok_or(Rejection::MissingClaim(claim.0))
}

fn identifier<'a, T>(claim: Claim<'a>) -> Result<Option<T>, Rejection>
where
    T: for<'text> TryFrom<&'text str, Error = IdentifierError>,
{
    let text: Option<Text<'a>> = optional(claim)?;
    text.map(|Text(text)| T::try_from(&text))
        .transpose()
        .map_err(|_| Rejection::MalformedClaim(claim.0))
}

/// Reads a `NumericDate` (RFC 7519 §2): seconds since 1970, whole or not, cut to milliseconds.
fn numeric_date(claim: Claim<'_>) -> Result<Option<Instant>, Rejection> {
    let Some(seconds) = optional::<f64>(claim)? else {
        return Ok(None);
    };
    Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|since_1970| i64::try_from(since_1970.as_millis()).ok())
        .and_then(|millis| Instant::from_unix_millis(millis).ok())
        .ok_or(Rejection::MalformedClaim(claim.0))
        .map(Some)
}

#[cfg(test)]
mod tests;
