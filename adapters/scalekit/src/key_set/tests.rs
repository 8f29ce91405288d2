use serde_json::{Value, json};

use super::*;
use crate::test_tokens::{FIRST_KEY, SECOND_KEY, base64url, changed, key_set, user_claims};

fn ids(text: &str) -> Vec<String> {
    let ids = KeySet::parse(text)
        .map(|set| set.ids().map(|id| id.unwrap_or("none").to_owned()).collect());
    ids.unwrap_or_default()
}

#[test]
fn keys_that_cannot_verify_rs256_signatures_are_ignored_one_by_one() {
    let usable = FIRST_KEY.jwk();
    let second = SECOND_KEY.jwk();
    let with = |changes: &Value| changed(second.clone(), changes);
    for unusable in [
        json!(null),
        json!("a key"),
        json!([]),
        json!({}),
        json!({"kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA"}),
        json!({"kty": "oct", "kid": "oct", "k": "AA"}),
        with(&json!({"kty": null})),
        with(&json!({"kty": "EC"})),
        with(&json!({"use": "enc"})),
        with(&json!({"use": 1})),
        with(&json!({"alg": "RS512"})),
        with(&json!({"alg": "RSA-OAEP"})),
        with(&json!({"alg": "HS256"})),
        with(&json!({"key_ops": ["encrypt"]})),
        with(&json!({"kid": 1})),
        with(&json!({"n": null})),
        with(&json!({"e": null})),
        with(&json!({"n": ""})),
        with(&json!({"n": "not base64url!"})),
        with(&json!({"n": "AQAB"})),
        with(&json!({"n": base64url([0xff; 1025])})),
        with(&json!({"n": base64url([0xfe; 256])})),
        with(&json!({"e": ""})),
        with(&json!({"e": "AA"})),
        with(&json!({"e": "AQ"})),
        with(&json!({"e": base64url([1, 0, 0])})),
        with(&json!({"e": base64url([1; 5])})),
    ] {
        let set = KeySet::parse(&key_set(&[&unusable, &usable])).expect("a key set");
        assert_eq!(set.ids().collect::<Vec<_>>(), [Some("snk_1")], "{unusable}");
        assert_eq!(set.ignored(), 1);
    }
}

#[test]
fn a_key_without_use_alg_and_kid_is_usable() {
    let bare = changed(FIRST_KEY.jwk(), &json!({"use": null, "alg": null, "kid": null}));
    assert_eq!(ids(&key_set(&[&bare])), ["none"]);
    let for_more = changed(FIRST_KEY.jwk(), &json!({"key_ops": ["sign", "verify"]}));
    assert_eq!(ids(&key_set(&[&for_more])), ["snk_1"]);
}

#[test]
fn a_set_without_a_usable_key_is_an_error() {
    for text in [
        "",
        "<html></html>",
        "null",
        "[]",
        "{}",
        "{\"keys\": null}",
        "{\"keys\": {}}",
        "{\"keys\": []}",
        "{\"keys\": [{}]}",
        &format!("[[{}]]", FIRST_KEY.jwk()),
    ] {
        assert!(KeySet::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_is_found_by_its_id_or_as_the_only_key() {
    let one = KeySet::parse(&key_set(&[&FIRST_KEY.jwk()])).expect("a key set");
    assert!(one.find(Some("snk_1")).is_some());
    assert!(one.find(None).is_some());
    for unknown in ["", "snk_2", "SNK_1", "snk_1 "] {
        assert!(one.find(Some(unknown)).is_none(), "{unknown:?}");
    }
    let two = KeySet::parse(&key_set(&[&FIRST_KEY.jwk(), &SECOND_KEY.jwk()])).expect("a key set");
    assert!(two.find(Some("snk_2")).is_some());
    assert!(two.find(None).is_none());
}

#[test]
fn a_key_that_is_found_in_the_next_set_too_goes_on_vouching() {
    let (first, second) = (FIRST_KEY.jwk(), SECOND_KEY.jwk());
    let usurper = changed(second.clone(), &json!({"kid": "snk_1"}));
    for (next, goes_on) in [
        (vec![&first], true),
        (vec![&second, &first], true),
        (vec![&first, &usurper], true),
        (vec![&second], false),
        (vec![&usurper], false),
        (vec![&usurper, &first], false),
    ] {
        let earlier = KeySet::parse(&key_set(&[&first, &second])).expect("a key set");
        let revocation = earlier.find(Some("snk_1")).expect("a key").revocation();
        let set = KeySet::parse(&key_set(&next)).expect("a key set").succeeding(&earlier);
        drop(earlier);
        let same = set.find(Some("snk_1")).is_some_and(|key| key.revocation() == revocation);
        let is_revoked = format!("{revocation:?}").contains("true");
        assert_eq!((same, is_revoked), (goes_on, !goes_on), "{next:?}");
    }
}

#[test]
fn a_modulus_may_have_leading_zeros() {
    let jwk = FIRST_KEY.jwk();
    let modulus = unsigned_integer(jwk["n"].as_str().expect("a text")).expect("a number");
    let padded = changed(jwk, &json!({"n": base64url([&[0, 0], &modulus[..]].concat())}));
    let set = KeySet::parse(&key_set(&[&padded])).expect("a key set");
    let token = FIRST_KEY.token(&user_claims("https://acme.scalekit.com"));
    let (signing_input, signature) = token.rsplit_once('.').expect("three parts");
    let key = set.find(Some("snk_1")).expect("a key");
    assert_eq!(key.check(signing_input, signature), Ok(()));
}
