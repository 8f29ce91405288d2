//! For people who look for the cause of a refusal: what key sets and tokens hold, by the verifier's
//! own reading of them. Nothing is decided here.

use serde_json::{Map, Value};
use todo_application::ports::BoxError;

use crate::json;
use crate::key_set::KeySet;
use crate::unverified_token::decode;

/// How much of a published key set checks access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedKeys {
    /// Keys that check RS256 signatures: at least one.
    pub usable: usize,
    /// Keys that are malformed, or of another type, use or algorithm.
    pub passed_over: usize,
}

impl PublishedKeys {
    /// Reads a key set as the verifier does. A set without a usable key is an error.
    pub fn read(key_set: &str) -> Result<Self, BoxError> {
        let keys = KeySet::parse(key_set)?;
        Ok(Self { usable: keys.ids().count(), passed_over: keys.passed_over() })
    }
}

/// What a token says of itself, which anybody can write: good for telling its holder why it was
/// refused, and for nothing else. Of the signature it holds nothing.
#[derive(Clone, Default)]
pub struct UnverifiedContents {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl UnverifiedContents {
    /// Takes a token apart as far as it can be read.
    pub fn read(unverified_token: &str) -> Self {
        let mut parts = unverified_token.split('.').map(|part| {
            let text = decode(part).ok()?;
            json::object::<Map<String, Value>>(&text)
        });
        let mut next = || parts.next().flatten().unwrap_or_default();
        Self { header: next(), claims: next() }
    }

    /// A member of the header.
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    /// A claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_tokens::{FIRST_KEY, user_claims};

    #[test]
    fn a_token_is_read_as_far_as_it_can_be() {
        let token = FIRST_KEY.token(&user_claims("https://acme.scalekit.com"));
        let contents = UnverifiedContents::read(&token);
        assert_eq!(contents.header("alg"), Some(&json!("RS256")));
        assert_eq!(contents.claim("iss"), Some(&json!("https://acme.scalekit.com")));

        let (header, _) = token.split_once('.').expect("three parts");
        let cut_off = UnverifiedContents::read(header);
        assert_eq!(cut_off.header("alg"), Some(&json!("RS256")));
        assert_eq!(cut_off.claim("iss"), None);
        assert_eq!(UnverifiedContents::read("opaque").header("alg"), None);
    }

    #[test]
    fn keys_are_counted_and_a_set_without_a_usable_one_is_an_error() {
        let other = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
        let set = json!({ "keys": [FIRST_KEY.jwk(), other] }).to_string();
        let counted = PublishedKeys::read(&set).expect("a usable key");
        assert_eq!(counted, PublishedKeys { usable: 1, passed_over: 1 });
        for bad in ["<html>", "{}", "{\"keys\": []}"] {
            assert!(PublishedKeys::read(bad).is_err(), "{bad}");
        }
    }
}
