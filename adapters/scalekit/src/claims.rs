//! What a signed token must hold to be accepted, in the order in which it is checked:
//!
//! | claim | rule | otherwise |
//! |---|---|---|
//! | `iss` | one of the environment's two issuers, byte for byte | `Issuer` |
//! | `aud` | is or holds the resource id; the server's URL alone is not enough | `Audience` |
//! | `exp` | required; later than now, without leeway (RFC 7519 section 4.1.4) | `Expired` |
//! | `nbf` | at most 60 s later than now (section 4.1.5) | `NotYetValid` |
//! | `iat` | at most 60 s later than now (section 4.1.6) | `NotYetValid` |
//! | `sub` | required; 1 to 255 bytes | `MalformedClaim` |
//! | `oid`, else `org_id` | 1 to 255 bytes; machines have none | `MalformedClaim` |
//! | `client_id`, else `azp` | 1 to 2048 bytes | `MalformedClaim` |
//! | `scope`, `scopes`, `scp` | the union is granted; may be empty | `MalformedClaim` |
//!
//! Identifiers hold no control characters. A required claim that is missing is `MissingClaim`, any
//! claim of another type `MalformedClaim`. A claim that is `null` counts as missing: some encoders
//! write empty fields that way. Other claims are ignored, except those of
//! [`keep_claims`](crate::ScalekitTokenVerifier::keep_claims).
//!
//! The audience is the resource id because it alone is unique: two resources may be registered with
//! one URL, such as `http://localhost:3002/`. `exp` has no leeway because refreshing a token early
//! costs nothing; `nbf` has one because Scalekit sets it to the second of issue, and a clock that is a
//! second behind would reject every new token.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use protected_mcp::{Caller, Scopes};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::environment::ScalekitEnvironment;
use crate::invalid_token::InvalidToken;
use crate::json;
use crate::lifetime::Lifetime;
use crate::unverified_token::SignedPayload;

/// OpenID Connect Core 1.0 section 2 limits `sub` to 255 ASCII characters.
const MAX_IDENTIFIER_BYTES: usize = 255;
/// A client id may be the URL of a client metadata document.
const MAX_CLIENT_ID_BYTES: usize = 2048;

/// The claims of a token whose signature is valid, each still as JSON text: a claim of the wrong type
/// is reported by name, in its turn. A repeated claim is an error.
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

/// A token that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) caller: Arc<Caller>,
    pub(crate) lifetime: Lifetime,
}

/// A claim's name, and its text if it is present.
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
    pub(crate) fn parse(payload: &'a SignedPayload) -> Result<Self, InvalidToken> {
        json::object(payload.as_str()).ok_or(InvalidToken::Malformed)
    }

    /// Applies the rules of the table above. `kept` holds the further claims for the caller.
    pub(crate) fn check(
        &self,
        environment: &ScalekitEnvironment,
        now: SystemTime,
        kept: Map<String, Value>,
    ) -> Result<Accepted, InvalidToken> {
        self.check_issuer(environment)?;
        self.check_audience(environment)?;
        let lifetime = self.check_lifetime(now)?;
        let subject = identifier(("sub", self.sub), MAX_IDENTIFIER_BYTES)?
            .ok_or(InvalidToken::MissingClaim("sub"))?;
        let mut caller = Caller::new(subject, lifetime.expires_at());
        if let Some(organization) = self.organization()? {
            caller = caller.with_organization(organization);
        }
        if let Some(client) = self.client()? {
            caller = caller.with_client(client);
        }
        caller = caller.with_scopes(self.granted_scopes()?);
        for (name, value) in kept {
            caller = caller.with_claim(name, value);
        }
        Ok(Accepted { caller: Arc::new(caller), lifetime })
    }

    fn check_issuer(&self, environment: &ScalekitEnvironment) -> Result<(), InvalidToken> {
        let Text(issuer) = required(("iss", self.iss))?;
        if environment.issuers().contains(&issuer.as_ref()) {
            Ok(())
        } else {
            Err(InvalidToken::Issuer)
        }
    }

    fn check_audience(&self, environment: &ScalekitEnvironment) -> Result<(), InvalidToken> {
        let is_ours = |Text(audience): &Text| audience == environment.resource_id();
        let is_for_us = match required(("aud", self.aud))? {
            TextOrList::Text(audience) => is_ours(&audience),
            TextOrList::List(audiences) => audiences.iter().any(is_ours),
        };
        if is_for_us { Ok(()) } else { Err(InvalidToken::Audience) }
    }

    fn check_lifetime(&self, now: SystemTime) -> Result<Lifetime, InvalidToken> {
        let expires_at =
            numeric_date(("exp", self.exp))?.ok_or(InvalidToken::MissingClaim("exp"))?;
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

    /// Scalekit's tokens carry `oid`; `org_id` is the name in other documents of Scalekit.
    fn organization(&self) -> Result<Option<Arc<str>>, InvalidToken> {
        let claim = if self.oid.is_some() { ("oid", self.oid) } else { ("org_id", self.org_id) };
        identifier(claim, MAX_IDENTIFIER_BYTES)
    }

    fn client(&self) -> Result<Option<Arc<str>>, InvalidToken> {
        let claim = if self.client_id.is_some() {
            ("client_id", self.client_id)
        } else {
            ("azp", self.azp)
        };
        identifier(claim, MAX_CLIENT_ID_BYTES)
    }

    /// User tokens carry `scope` and `scopes`, machine tokens of an organization only `scopes`; other
    /// issuers write `scp`. All of them are signed, so the union is granted.
    fn granted_scopes(&self) -> Result<Scopes, InvalidToken> {
        let [scope, scopes, scp] =
            [("scope", self.scope), ("scopes", self.scopes), ("scp", self.scp)].map(optional);
        let claims = [scope?, scopes?, scp?];
        Ok(claims.iter().flatten().flat_map(scope_tokens).collect())
    }
}

/// The further claims `names` of a token, as far as it has them.
pub(crate) fn kept(payload: &SignedPayload, names: &[String]) -> Map<String, Value> {
    if names.is_empty() {
        return Map::new();
    }
    let claims: Map<String, Value> = json::object(payload.as_str()).unwrap_or_default();
    claims.into_iter().filter(|(name, value)| names.contains(name) && !value.is_null()).collect()
}

fn scope_tokens<'a>(claim: &'a TextOrList<'a>) -> Vec<&'a str> {
    match claim {
        TextOrList::Text(Text(scopes)) => scopes.split_ascii_whitespace().collect(),
        TextOrList::List(scopes) => scopes.iter().map(|Text(scope)| scope.as_ref()).collect(),
    }
}

fn optional<'a, T: Deserialize<'a>>((name, value): Claim<'a>) -> Result<Option<T>, InvalidToken> {
    value
        .map(|value| serde_json::from_str(value.get()))
        .transpose()
        .map_err(|_| InvalidToken::MalformedClaim(name))
}

fn required<'a, T: Deserialize<'a>>(claim: Claim<'a>) -> Result<T, InvalidToken> {
    optional(claim)?.ok_or(InvalidToken::MissingClaim(claim.0))
}

fn identifier(claim: Claim<'_>, max_bytes: usize) -> Result<Option<Arc<str>>, InvalidToken> {
    let Some(Text(text)) = optional(claim)? else { return Ok(None) };
    let is_valid = (1..=max_bytes).contains(&text.len()) && !text.contains(breaks_a_line);
    if is_valid { Ok(Some(text.into())) } else { Err(InvalidToken::MalformedClaim(claim.0)) }
}

/// Whether a character ends a line or controls a terminal, and would corrupt a log.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Parses a `NumericDate` (RFC 7519 section 2): seconds since 1970, whole or not, truncated to
/// milliseconds. The range ends with the year 9999, which some issuers write for "never"; its last two
/// days, which [`Timestamp`] does not have, are the last instant before them.
fn numeric_date(claim: Claim<'_>) -> Result<Option<SystemTime>, InvalidToken> {
    /// 10000-01-01T00:00:00Z and 9999-12-30T00:00:00Z, in milliseconds since 1970.
    const END_OF_9999: i64 = 253_402_300_800_000;
    const LAST_INSTANT: i64 = END_OF_9999 - 2 * 24 * 60 * 60 * 1000;
    let Some(seconds) = optional::<f64>(claim)? else {
        return Ok(None);
    };
    let instant = Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|since_1970| i64::try_from(since_1970.as_millis()).ok())
        .filter(|millis| *millis < END_OF_9999)
        .and_then(|millis| Timestamp::from_millisecond(millis.min(LAST_INSTANT)).ok());
    instant.map(|instant| Some(instant.into())).ok_or(InvalidToken::MalformedClaim(claim.0))
}

#[cfg(test)]
mod tests;
