//! Entry points for fuzzing the parsers of untrusted input. They must return, whatever the bytes are.

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use protected_mcp::Revoker;

use crate::claims::Rules;
use crate::environment::ScalekitEnvironment;
use crate::key_set::KeySet;
use crate::unverified_token::{BearerToken, UnverifiedToken};

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    let environment = ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").ok()?;
    Some(Rules::new(Arc::new(environment)))
});

/// Parses a bearer token as if its signature were valid: its parts, its header, its claims.
pub fn parse_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(token) = BearerToken::new(text).and_then(UnverifiedToken::parse) else { return };
    let Ok(payload) = token.assume_signed() else { return };
    if let Some(rules) = &*RULES {
        let _ = rules.apply(&payload, SystemTime::UNIX_EPOCH, Revoker::new().revocation());
    }
}

/// Parses a key set, and looks up each of its keys.
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
    fn the_entry_points_return_for_valid_input_and_for_garbage() {
        parse_token(FIRST_KEY.token(&user_claims("https://acme.scalekit.com")).as_bytes());
        parse_key_set(key_set(&[&FIRST_KEY.jwk()]).as_bytes());
        for garbage in [&b""[..], b"..", b"{}", &[0xff; 3]] {
            parse_token(garbage);
            parse_key_set(garbage);
        }
    }
}
