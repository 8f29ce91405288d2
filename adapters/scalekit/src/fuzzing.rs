//! Doors for fuzzing: the parsers that read what anybody may send. They must return, whatever the
//! bytes are.

use std::sync::LazyLock;

use todo_application::domain::Instant;

use crate::ScalekitEnvironment;
use crate::claims::SignedClaims;
use crate::key_set::KeySet;
use crate::unverified_token::UnverifiedToken;

static ENVIRONMENT: LazyLock<Option<ScalekitEnvironment>> =
    LazyLock::new(|| ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").ok());

/// Reads a bearer token as if its signature were good: its parts, its header, its claims.
pub fn parse_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(token) = UnverifiedToken::parse(text) else { return };
    let Ok(claims_text) = token.claims_text() else { return };
    let Ok(claims) = SignedClaims::parse(&claims_text) else { return };
    if let Some(environment) = &*ENVIRONMENT {
        let _ = claims.check(environment, Instant::UNIX_EPOCH);
    }
}

/// Reads a key set, and looks the keys up in it.
pub fn parse_key_set(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(keys) = KeySet::parse(text) else { return };
    for id in keys.ids().chain([None]) {
        let _ = keys.find(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tokens::{FIRST_KEY, key_set, user_claims};

    #[test]
    fn good_input_goes_all_the_way_and_garbage_comes_back() {
        parse_token(FIRST_KEY.token(&user_claims("https://acme.scalekit.com")).as_bytes());
        parse_key_set(key_set(&[&FIRST_KEY.jwk()]).as_bytes());
        for garbage in [&b""[..], b"..", b"{}", &[0xff; 3]] {
            parse_token(garbage);
            parse_key_set(garbage);
        }
    }
}
