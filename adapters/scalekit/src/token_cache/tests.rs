use super::*;
use crate::claims::SignedClaims;
use crate::test_tokens::{NOW, RESOURCE_ID, user_claims};

fn at(seconds: i64) -> Instant {
    Instant::from_unix_millis(seconds * 1000).expect("an instant")
}

/// A token that is good from 60 s before [`NOW`] until an hour after.
fn verified() -> Arc<VerifiedToken> {
    let url = "https://acme.scalekit.com";
    let environment = crate::ScalekitEnvironment::new(url, RESOURCE_ID).expect("an environment");
    let claims = user_claims(url).to_string();
    let claims = SignedClaims::parse(&claims).expect("claims");
    Arc::new(claims.check(&environment, at(NOW)).expect("a good token"))
}

fn remembering(token: &str) -> TokenCache {
    let cache = TokenCache::new();
    cache.remember(TokenDigest::of(token), Generation::default(), verified());
    cache
}

#[test]
fn a_token_is_recalled_by_every_one_of_its_bytes() {
    let cache = remembering("a.b.c");
    let recall = |token| cache.recall(TokenDigest::of(token), Some(Generation::default()), at(NOW));
    assert_eq!(recall("a.b.c"), Some(verified()));
    for other in ["", "a.b.d", "a.b.c ", "A.b.c"] {
        assert_eq!(recall(other), None, "{other:?}");
    }
}

#[test]
fn a_token_is_recalled_in_its_lifetime_only() {
    let cache = remembering("a.b.c");
    let digest = TokenDigest::of("a.b.c");
    for (now, is_recalled) in [
        (NOW - 61, false),
        (NOW - 60, true),
        (NOW + 3599, true),
        (NOW + 3600, false),
        // The clock was set back, and the token is good again.
        (NOW, true),
    ] {
        let recalled = cache.recall(digest, Some(Generation::default()), at(now));
        assert_eq!(recalled.is_some(), is_recalled, "{now}");
    }
}

#[test]
fn a_token_is_recalled_with_the_keys_it_was_verified_with_only() {
    let cache = remembering("a.b.c");
    let digest = TokenDigest::of("a.b.c");
    let next = Generation::default().next();
    assert_eq!(cache.recall(digest, None, at(NOW)), None);
    assert_eq!(cache.recall(digest, Some(next), at(NOW)), None);
    cache.remember(digest, next, verified());
    assert_eq!(cache.recall(digest, Some(next), at(NOW)), Some(verified()));
    assert_eq!(cache.recall(digest, Some(Generation::default()), at(NOW)), None);
}

#[test]
fn a_hundred_thousand_tokens_take_the_room_of_ten_thousand() {
    let cache = TokenCache::new();
    let token = verified();
    for number in 0..100_000 {
        let digest = TokenDigest::of(&format!("token {number}"));
        cache.remember(digest, Generation::default(), Arc::clone(&token));
    }
    let remembered = cache.len();
    // The parts share the capacity; each rounds its share up.
    let upper_bound = CAPACITY + cache.entries.num_shards();
    assert!((CAPACITY / 2..=upper_bound).contains(&remembered), "{remembered}");
    assert_eq!(Arc::strong_count(&token), remembered + 1, "the others were let go");
}

#[test]
fn tokens_used_once_do_not_push_out_one_that_is_used_often() {
    let cache = TokenCache::with_capacity(100);
    let (digest, token) = (TokenDigest::of("often"), verified());
    cache.remember(digest, Generation::default(), Arc::clone(&token));
    for number in 0..10_000 {
        let once = TokenDigest::of(&format!("token {number}"));
        cache.remember(once, Generation::default(), Arc::clone(&token));
        assert!(cache.recall(digest, Some(Generation::default()), at(NOW)).is_some(), "{number}");
    }
}
