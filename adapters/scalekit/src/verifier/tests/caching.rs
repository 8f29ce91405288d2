//! A cached token is accepted as long as an uncached one, to the millisecond.

use super::*;

/// A valid token that expires at this time, and that instant.
fn token_until(scene: &Scene, expires_at: u64) -> (String, SystemTime) {
    let token = FIRST_KEY.token(&changed(scene.claims(), &json!({"exp": expires_at})));
    (token, SystemTime::UNIX_EPOCH + Duration::from_secs(expires_at))
}

impl Scene {
    /// Causes a fetch of the published keys.
    async fn fetch_keys(&self) {
        let requests = self.request_count();
        self.clock.advance(Duration::from_secs(30));
        let unknown = changed(FIRST_KEY.header(), &json!({"kid": "snk_0"}));
        let unknown = self.token_with_header(&unknown);
        assert_eq!(self.verify(&unknown).await, Err(InvalidToken::UnknownKey));
        assert_eq!(self.request_count(), requests + 1);
    }
}

#[tokio::test]
async fn an_accepted_token_is_not_verified_again() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    let first = scene.verify(&token).await.expect("a valid token");
    let second = scene.verify(&token).await.expect("a valid token");
    assert!(Arc::ptr_eq(&first, &second), "verification makes a new one");
    let clone = scene.verifier.clone();
    let third = clone.verify_token(&token).await.expect("a valid token");
    assert!(Arc::ptr_eq(&first, &third), "a clone shares the cache");
}

#[tokio::test]
async fn a_cached_token_expires_to_the_millisecond() {
    let scene = Scene::new().await;
    let (token, expires_at) = token_until(&scene, NOW + 300);
    let first = scene.verify(&token).await.expect("a valid token");
    scene.clock.advance_almost(Duration::from_mins(5));
    let last = scene.verify(&token).await.expect("a valid token");
    assert!(Arc::ptr_eq(&first, &last));
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::Expired(expires_at)));
}

#[tokio::test]
async fn a_cached_token_is_not_yet_valid_when_the_clock_is_set_back() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    assert!(scene.verify(&token).await.is_ok());
    let begins_at = scene.clock.now();
    scene.clock.set_unix_millis((NOW - 60) * 1000 - 1);
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::NotYetValid(begins_at)));
    scene.clock.set_unix_millis((NOW - 60) * 1000);
    assert!(scene.verify(&token).await.is_ok());
}

#[tokio::test]
async fn a_withdrawn_key_invalidates_its_cached_tokens() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    assert!(scene.verify(&token).await.is_ok());
    scene.publish(&[&SECOND_KEY]);
    scene.fetch_keys().await;
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::UnknownKey));
    scene.publish(&[&FIRST_KEY, &SECOND_KEY]);
    scene.fetch_keys().await;
    assert!(scene.verify(&token).await.is_ok());
}

#[tokio::test]
async fn another_key_with_the_same_id_invalidates_cached_tokens() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    assert!(scene.verify(&token).await.is_ok());
    let usurper = changed(SECOND_KEY.jwk(), &json!({"kid": FIRST_KEY.id}));
    scene.answer_keys(Answer::ok(key_set(&[&usurper])));
    scene.fetch_keys().await;
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::Signature));
}

#[tokio::test]
async fn a_fetch_of_the_same_keys_or_a_failed_one_keeps_cached_tokens() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    let first = scene.verify(&token).await.expect("a valid token");
    scene.fetch_keys().await;
    scene.answer_keys(Answer::status(503));
    scene.fetch_keys().await;
    let second = scene.verify(&token).await.expect("a valid token");
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn rejections_are_not_cached() {
    let scene = Scene::new().await;
    let claims = scene.claims();
    let valid = scene.token(&FIRST_KEY);
    let too_early = FIRST_KEY.token(&changed(claims.clone(), &json!({"nbf": NOW + 90})));
    for token in [
        "not a token",
        &valid[..valid.len() - 1],
        &scene.token(&SECOND_KEY),
        &too_early,
        &SECOND_KEY.token_of(&FIRST_KEY.header().to_string(), claims.to_string()),
        &FIRST_KEY.token(&changed(claims, &json!({"aud": "res_2"}))),
    ] {
        assert!(scene.verify(token).await.is_err());
        assert_eq!(scene.verifier.cache.len(), 0, "{token}");
    }
    scene.clock.advance(Duration::from_secs(30));
    assert!(scene.verify(&too_early).await.is_ok());
    assert_eq!(scene.verifier.cache.len(), 1);
}

#[tokio::test]
async fn a_cached_token_also_triggers_a_refresh_of_old_keys() {
    let scene = Scene::new().await;
    let (token, _) = token_until(&scene, NOW + 7200);
    assert!(scene.verify(&token).await.is_ok());
    scene.publish(&[&SECOND_KEY]);
    scene.clock.advance(Duration::from_hours(1));
    assert!(scene.verify(&token).await.is_ok());
    scene.requests(2).await;
    let later = SECOND_KEY.token(&changed(scene.claims(), &json!({"exp": NOW + 7200})));
    assert!(scene.verify(&later).await.is_ok());
    assert_eq!(scene.verify(&token).await, Err(InvalidToken::UnknownKey));
    assert_eq!(scene.request_count(), 2);
}

#[tokio::test]
async fn each_token_is_counted_once_by_what_became_of_it() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    for _ in 0..3 {
        assert!(scene.verify(&token).await.is_ok());
    }
    let expired = FIRST_KEY.token(&changed(scene.claims(), &json!({"exp": NOW})));
    for bad in [&expired, &expired, "x", &"x".repeat(20_000)] {
        assert!(scene.verify(bad).await.is_err());
    }
    let statistics = scene.verifier.statistics();
    assert_eq!(statistics.cache_hits, 2);
    assert_eq!(statistics.verifications, [("accepted", 1), ("expired", 2), ("malformed", 2)]);
    assert_eq!(statistics.waiting, 0);
    let keys = scene.keys.statistics();
    assert_eq!((keys.known, keys.fetched, keys.failed), (1, 1, 0));
    scene.clock.advance(Duration::from_mins(3));
    assert_eq!(scene.keys.statistics().age, Some(Duration::from_mins(3)));
}
