use std::sync::{Arc, LazyLock};
use std::time::Duration;

use protected_mcp::Revoker;

use super::*;
use crate::claims::Rules;
use crate::environment::ScalekitEnvironment;
use crate::test_tokens::{NOW, RESOURCE_ID, user_claims};
use crate::unverified_token::SignedPayload;

/// Callers are equal only if the same key vouches for them.
static VOUCHING: LazyLock<Revoker> = LazyLock::new(Revoker::new);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A token that is valid from 60 s before [`NOW`] until an hour after.
fn accepted() -> Accepted {
    let url = "https://acme.scalekit.com";
    let environment = ScalekitEnvironment::new(url, RESOURCE_ID).expect("an environment");
    let payload = SignedPayload::assumed(&user_claims(url).to_string());
    let rules = Rules::new(Arc::new(environment));
    rules.apply(&payload, at(NOW), VOUCHING.revocation()).expect("a valid token")
}

fn cache_with(token: &str) -> TokenCache {
    let cache = TokenCache::default();
    cache.insert(TokenDigest::of(token), Generation::default(), accepted());
    cache
}

#[test]
fn every_byte_of_a_token_counts() {
    let cache = cache_with("a.b.c");
    let get = |token| cache.get(TokenDigest::of(token), Some(Generation::default()), at(NOW));
    assert_eq!(get("a.b.c"), Some(accepted()));
    for other in ["", "a.b.d", "a.b.c ", "A.b.c"] {
        assert_eq!(get(other), None, "{other:?}");
    }
}

#[test]
fn a_token_is_served_within_its_lifetime_only() {
    let cache = cache_with("a.b.c");
    let digest = TokenDigest::of("a.b.c");
    for (now, is_served) in [
        (NOW - 61, false),
        (NOW - 60, true),
        (NOW + 3599, true),
        (NOW + 3600, false),
        // The clock was set back, and the token is valid again.
        (NOW, true),
    ] {
        let served = cache.get(digest, Some(Generation::default()), at(now));
        assert_eq!(served.is_some(), is_served, "{now}");
    }
}

#[test]
fn a_token_is_served_with_the_keys_it_was_verified_with_only() {
    let cache = cache_with("a.b.c");
    let digest = TokenDigest::of("a.b.c");
    let next = Generation::default().next();
    assert_eq!(cache.get(digest, None, at(NOW)), None);
    assert_eq!(cache.get(digest, Some(next), at(NOW)), None);
    cache.insert(digest, next, accepted());
    assert_eq!(cache.get(digest, Some(next), at(NOW)), Some(accepted()));
    assert_eq!(cache.get(digest, Some(Generation::default()), at(NOW)), None);
}

#[test]
fn a_hundred_thousand_tokens_take_the_space_of_ten_thousand() {
    let cache = TokenCache::default();
    let token = accepted();
    for number in 0..100_000 {
        let digest = TokenDigest::of(&format!("token {number}"));
        cache.insert(digest, Generation::default(), token.clone());
    }
    let cached = cache.len();
    // The shards divide the capacity, each rounding its share up.
    let upper_bound = CAPACITY.get() + cache.entries.num_shards();
    assert!((CAPACITY.get() / 2..=upper_bound).contains(&cached), "{cached}");
    assert_eq!(Arc::strong_count(&token.caller), cached + 1, "the others were dropped");
}

#[test]
fn long_tokens_take_no_more_space_than_ordinary_ones() {
    let cache = TokenCache::default();
    let token = accepted();
    for number in 0..20_000 {
        let digest = TokenDigest::of(&format!("{number:0>16384}"));
        cache.insert(digest, Generation::default(), token.clone());
    }
    let upper_bound = CAPACITY.get() / 9 + cache.entries.num_shards();
    assert!((CAPACITY.get() / 20..=upper_bound).contains(&cache.len()), "{}", cache.len());
}

#[test]
fn tokens_used_once_do_not_evict_one_that_is_used_often() {
    let cache = TokenCache::with_capacity(NonZeroUsize::new(100).unwrap());
    let (digest, token) = (TokenDigest::of("often"), accepted());
    cache.insert(digest, Generation::default(), token.clone());
    for number in 0..10_000 {
        let once = TokenDigest::of(&format!("token {number}"));
        cache.insert(once, Generation::default(), token.clone());
        assert!(cache.get(digest, Some(Generation::default()), at(NOW)).is_some(), "{number}");
    }
}
