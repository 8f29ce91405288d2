//! What a signed token must hold to be accepted, in the order in which it is checked:
//!
//! | claim | rule | otherwise |
//! |---|---|---|
//! | `iss` | one of the environment's two issuers, byte for byte | `Issuer` |
//! | `aud` | is or holds the resource id; the server's URL alone is not enough | `Audience` |
//! | `exp` | required; later than now, without leeway (RFC 7519 section 4.1.4) | `Expired` |
//! | `nbf` | at most 60 s later than now (section 4.1.5) | `NotYetValid` |
//! | `iat` | at most 60 s later than now (section 4.1.6) | `NotYetValid` |
//! | `iat` | if tokens have a greatest age: required, and less than that ago | `TooOld` |
//! | `cnf` | missing: nothing here can check the proof that it asks for (RFC 7800 section 3.1) | `SenderConstrained` |
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
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use protected_mcp::{Caller, Revocation, Scopes};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::environment::ScalekitEnvironment;
use crate::invalid_token::InvalidToken;
use crate::json;
use crate::lifetime::Lifetime;
use crate::numeric_date::numeric_date;
use crate::unverified_token::SignedPayload;

/// OpenID Connect Core 1.0 section 2 limits `sub` to 255 ASCII characters.
const MAX_IDENTIFIER_BYTES: usize = 255;
/// A client id may be the URL of a client metadata document.
const MAX_CLIENT_ID_BYTES: usize = 2048;

/// The claims of a token whose signature is valid, each still as JSON text: a claim of the wrong type
/// is reported by name, in its turn. A repeated claim is an error.
#[derive(Deserialize)]
struct SignedClaims<'a> {
    #[serde(borrow)]
    iss: Option<&'a RawValue>,
    aud: Option<&'a RawValue>,
    exp: Option<&'a RawValue>,
    nbf: Option<&'a RawValue>,
    iat: Option<&'a RawValue>,
    cnf: Option<&'a RawValue>,
    sub: Option<&'a RawValue>,
    oid: Option<&'a RawValue>,
    org_id: Option<&'a RawValue>,
    client_id: Option<&'a RawValue>,
    azp: Option<&'a RawValue>,
    scope: Option<&'a RawValue>,
    scopes: Option<&'a RawValue>,
    scp: Option<&'a RawValue>,
}

/// What the claims of a token are held against, and which of them are kept.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) environment: Arc<ScalekitEnvironment>,
    /// The further claims that the caller is to have.
    pub(crate) kept_claims: Arc<[String]>,
    /// The time after `iat` at which a token is too old.
    pub(crate) max_age: Option<Duration>,
    /// The clients that may call; `None` for all.
    pub(crate) allowed_clients: Option<Arc<BTreeSet<String>>>,
}

/// A token that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) caller: Arc<Caller>,
    pub(crate) lifetime: Lifetime,
    /// Whether the client may call at all. Nothing is wrong with the token if it may not.
    pub(crate) is_client_allowed: bool,
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

impl Rules {
    pub(crate) fn new(environment: Arc<ScalekitEnvironment>) -> Self {
        Self { environment, kept_claims: Arc::default(), max_age: None, allowed_clients: None }
    }

    /// Applies the rules of the table above. `revocation` is that of the key that signed the token.
    pub(crate) fn apply(
        &self,
        payload: &SignedPayload,
        now: SystemTime,
        revocation: Revocation,
    ) -> Result<Accepted, InvalidToken> {
        let kept = kept(payload, &self.kept_claims);
        SignedClaims::parse(payload)?.check(self, now, kept, revocation)
    }

    fn allows(&self, client: Option<&str>) -> bool {
        let allowed = self.allowed_clients.as_ref();
        allowed.is_none_or(|allowed| client.is_some_and(|client| allowed.contains(client)))
    }
}

impl<'a> SignedClaims<'a> {
    fn parse(payload: &'a SignedPayload) -> Result<Self, InvalidToken> {
        json::object(payload.as_str()).ok_or(InvalidToken::Malformed)
    }

    fn check(
        &self,
        rules: &Rules,
        now: SystemTime,
        kept: Map<String, Value>,
        revocation: Revocation,
    ) -> Result<Accepted, InvalidToken> {
        self.check_issuer(&rules.environment)?;
        self.check_audience(&rules.environment)?;
        let lifetime = self.check_lifetime(rules.max_age, now)?;
        if self.cnf.is_some() {
            return Err(InvalidToken::SenderConstrained);
        }
        let subject = identifier(("sub", self.sub), MAX_IDENTIFIER_BYTES)?
            .ok_or(InvalidToken::MissingClaim("sub"))?;
        let mut caller = Caller::new(subject, lifetime.expires_at()).with_revocation(revocation);
        if let Some(organization) = self.organization()? {
            caller = caller.with_organization(organization);
        }
        let client = self.client()?;
        let is_client_allowed = rules.allows(client.as_deref());
        if let Some(client) = client {
            caller = caller.with_client(client);
        }
        caller = caller.with_scopes(self.granted_scopes()?);
        for (name, value) in kept {
            caller = caller.with_claim(name, value);
        }
        Ok(Accepted { caller: Arc::new(caller), lifetime, is_client_allowed })
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

    fn check_lifetime(
        &self,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<Lifetime, InvalidToken> {
        let expires_at = date(("exp", self.exp))?.ok_or(InvalidToken::MissingClaim("exp"))?;
        let mut lifetime = Lifetime::until(expires_at);
        lifetime.check(now)?;
        for claim in [("nbf", self.nbf), ("iat", self.iat)] {
            if let Some(begins_at) = date(claim)? {
                lifetime = lifetime.not_before(begins_at);
                lifetime.check(now)?;
            }
        }
        if let Some(max_age) = max_age {
            let issued_at = date(("iat", self.iat))?.ok_or(InvalidToken::MissingClaim("iat"))?;
            lifetime = lifetime.at_most(max_age, issued_at);
            lifetime.check(now)?;
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
fn kept(payload: &SignedPayload, names: &[String]) -> Map<String, Value> {
    if names.is_empty() {
        return Map::new();
    }
    let mut claims = serde_json::Deserializer::from_str(payload.as_str());
    claims.deserialize_map(KeptClaims(names)).unwrap_or_default()
}

/// Reads the claims of these names and skips the others.
struct KeptClaims<'n>(&'n [String]);

impl<'de> Visitor<'de> for KeptClaims<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Self::Value, A::Error> {
        let mut kept = Map::new();
        while let Some(Text(name)) = claims.next_key()? {
            if !self.0.iter().any(|it| *it == name) {
                claims.next_value::<IgnoredAny>()?;
                continue;
            }
            match claims.next_value::<Option<Value>>()? {
                Some(value) => kept.insert(name.into_owned(), value),
                None => kept.remove(name.as_ref()),
            };
        }
        Ok(kept)
    }
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

fn date((name, value): Claim<'_>) -> Result<Option<SystemTime>, InvalidToken> {
    let read = |value: &RawValue| numeric_date(value).ok_or(InvalidToken::MalformedClaim(name));
    value.map(read).transpose()
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

#[cfg(test)]
mod tests;
