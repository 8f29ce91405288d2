//! What key sets and tokens hold, parsed as the verifier does, for people who look for the cause of a
//! rejection. Nothing is decided here.

use protected_mcp::BoxError;
use serde_json::{Map, Value};

use crate::json;
use crate::key_set::KeySet;
use crate::unverified_token::decode;

/// How many keys of a published key set can verify access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedKeys {
    /// Keys that verify RS256 signatures: at least one.
    pub usable: usize,
    /// Keys that are malformed, or of another type, use or algorithm.
    pub ignored: usize,
}

impl PublishedKeys {
    /// Parses a key set as the verifier does. A set without a usable key is an error.
    pub fn parse(key_set: &str) -> Result<Self, BoxError> {
        let keys = KeySet::parse(key_set)?;
        Ok(Self { usable: keys.ids().count(), ignored: keys.ignored() })
    }
}

/// The claims of an unverified token, without its signature. Anyone can write them: use them only to
/// explain to its holder why a token was rejected.
#[derive(Clone, Default)]
pub struct UnverifiedClaims(Map<String, Value>);

impl UnverifiedClaims {
    /// A token whose payload cannot be parsed has no claims.
    pub fn parse(unverified_token: &str) -> Self {
        let payload = unverified_token.split('.').nth(1).and_then(|part| decode(part).ok());
        Self(payload.and_then(|text| json::object(&text)).unwrap_or_default())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_tokens::{FIRST_KEY, user_claims};

    #[test]
    fn a_token_that_cannot_be_parsed_has_no_claims() {
        let token = FIRST_KEY.token(&user_claims("https://acme.scalekit.com"));
        let issuer = |token| UnverifiedClaims::parse(token).get("iss").cloned();
        assert_eq!(issuer(&token), Some(json!("https://acme.scalekit.com")));

        let (header, _) = token.split_once('.').expect("three parts");
        for other in [header, "opaque", "", "e30.W10.", "e30.!.e30"] {
            assert_eq!(issuer(other), None, "{other:?}");
        }
    }

    #[test]
    fn usable_and_ignored_keys_are_counted_and_a_set_without_a_usable_one_is_an_error() {
        let other = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
        let set = json!({ "keys": [FIRST_KEY.jwk(), other] }).to_string();
        let counted = PublishedKeys::parse(&set).expect("a usable key");
        assert_eq!(counted, PublishedKeys { usable: 1, ignored: 1 });
        for bad in ["<html>", "{}", "{\"keys\": []}"] {
            assert!(PublishedKeys::parse(bad).is_err(), "{bad}");
        }
    }
}
