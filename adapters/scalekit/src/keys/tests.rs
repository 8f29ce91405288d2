use serde_json::json;

use super::schedule::PAUSE;
use super::*;
use crate::test_issuer::{Answer, Scene};
use crate::test_tokens::{FIRST_KEY, SECOND_KEY, changed, key_set};

impl ScalekitKeys {
    /// Puts keys into force as a fetch does.
    pub(crate) fn put_into_force(&self, keys: KeySet) {
        self.shared.replace(keys);
        self.shared.attempts().schedule.succeeded();
    }
}

impl Scene {
    pub(super) async fn has(&self, key_id: &str) -> bool {
        match self.keys.find(Some(key_id)).await {
            Ok(_) => true,
            Err(VerificationError::Invalid(rejection)) => {
                assert_eq!(rejection, InvalidToken::UnknownKey);
                false
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    async fn has_no_keys(&self) -> bool {
        matches!(self.keys.find(Some("snk_1")).await, Err(VerificationError::KeysUnavailable(_)))
    }
}

#[tokio::test]
async fn keys_are_fetched_once_by_the_first_request() {
    let scene = Scene::new().await;
    assert_eq!(scene.request_count(), 0);
    for _ in 0..3 {
        assert!(scene.has("snk_1").await);
    }
    assert_eq!(scene.requested(), ["/keys"]);
}

#[tokio::test]
async fn concurrent_requests_share_one_fetch() {
    let scene = Arc::new(Scene::new().await);
    scene.hold();
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.has("snk_1").await })
        })
        .collect();
    scene.requests(1).await;
    scene.release();
    for request in requests {
        assert!(request.await.expect("a result"));
    }
    assert_eq!(scene.request_count(), 1);
}

#[tokio::test]
async fn a_hundred_unknown_key_ids_cause_one_more_fetch_in_3_seconds() {
    let scene = Scene::new().await;
    assert!(scene.has("snk_1").await);
    scene.clock.advance_almost(PAUSE);
    for id in 0..100 {
        assert!(!scene.has(&format!("random_{id}")).await);
    }
    assert_eq!(scene.request_count(), 1);
    scene.clock.advance(Duration::from_millis(1));
    for id in 0..100 {
        assert!(!scene.has(&format!("random_{id}")).await);
    }
    assert_eq!(scene.request_count(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_picked_up_and_the_old_one_dropped() {
    let scene = Scene::new().await;
    assert!(scene.has("snk_1").await);
    scene.publish(&[&FIRST_KEY, &SECOND_KEY]);
    scene.clock.advance(PAUSE);
    assert!(scene.has("snk_2").await);
    assert!(scene.has("snk_1").await);
    scene.publish(&[&SECOND_KEY]);
    scene.clock.advance(PAUSE);
    assert!(!scene.has("snk_3").await);
    assert!(!scene.has("snk_1").await);
    assert!(scene.has("snk_2").await);
    assert_eq!(scene.request_count(), 3);
}

#[tokio::test]
async fn a_request_with_a_known_key_does_not_wait_for_a_fetch() {
    let scene = Arc::new(Scene::new().await);
    assert!(scene.has("snk_1").await);
    scene.clock.advance(PAUSE);
    scene.hold();
    let waiting = Arc::clone(&scene);
    let unknown = tokio::spawn(async move { waiting.has("snk_2").await });
    scene.requests(2).await;
    assert!(scene.has("snk_1").await);
    assert!(!unknown.is_finished());
    scene.release();
    assert!(!unknown.await.expect("a result"));
}

#[tokio::test]
async fn an_old_set_is_refreshed_in_the_background_of_a_request() {
    let scene = Scene::new().await;
    assert!(scene.has("snk_1").await);
    scene.publish(&[&SECOND_KEY]);
    scene.hold();
    scene.clock.advance_almost(MAX_AGE);
    assert!(scene.has("snk_1").await);
    scene.clock.advance(Duration::from_millis(1));
    assert!(scene.has("snk_1").await);
    scene.requests(2).await;
    scene.release();
    assert!(scene.has("snk_2").await);
    assert!(!scene.has("snk_1").await);
    assert_eq!(scene.request_count(), 2);
}

#[tokio::test]
async fn the_last_usable_set_is_kept_whatever_a_fetch_returns() {
    let scene = Scene::new().await;
    assert!(scene.has("snk_1").await);
    let malformed = changed(FIRST_KEY.jwk(), &json!({"n": "AQAB"}));
    for (count, answer) in [
        Answer::status(500),
        Answer::status(429),
        Answer::ok(""),
        Answer::ok("<html></html>"),
        Answer::ok("{\"keys\": []}"),
        Answer::ok(key_set(&[&malformed])),
        Answer::ok(vec![b' '; MAX_KEY_SET_BYTES + 1]),
        Answer::ok([0xff]),
    ]
    .into_iter()
    .enumerate()
    {
        scene.answer_keys(answer);
        scene.clock.advance(MAX_AGE);
        assert!(!scene.has("snk_2").await);
        assert!(scene.has("snk_1").await);
        assert_eq!(scene.request_count(), count + 2);
        assert_eq!(scene.keys.ready().await, Ok(()));
    }
}

#[tokio::test]
async fn a_failed_fetch_counts_as_the_one_fetch_in_3_seconds() {
    let scene = Scene::new().await;
    assert!(scene.has("snk_1").await);
    scene.answer_keys(Answer::status(503));
    scene.clock.advance(PAUSE);
    assert!(!scene.has("snk_2").await);
    scene.publish(&[&FIRST_KEY, &SECOND_KEY]);
    scene.clock.advance_almost(PAUSE);
    assert!(!scene.has("snk_2").await);
    scene.clock.advance(Duration::from_millis(1));
    assert!(scene.has("snk_2").await);
    assert_eq!(scene.request_count(), 3);
}

#[tokio::test]
async fn without_any_key_a_fetch_is_retried_after_1_2_4_and_then_every_5_seconds() {
    let scene = Scene::new().await;
    scene.answer_keys(Answer::status(503));
    assert!(scene.has_no_keys().await);
    for (count, seconds) in [1, 2, 4, 5, 5, 5].into_iter().enumerate() {
        scene.clock.advance_almost(Duration::from_secs(seconds));
        assert!(scene.has_no_keys().await);
        assert_eq!(scene.request_count(), count + 1, "before {seconds} s");
        scene.clock.advance(Duration::from_millis(1));
        assert!(scene.has_no_keys().await);
        assert_eq!(scene.request_count(), count + 2, "after {seconds} s");
    }
    scene.publish(&[&FIRST_KEY]);
    assert!(scene.has_no_keys().await);
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.has("snk_1").await);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_delay_a_refresh() {
    let scene = Scene::new().await;
    assert!(scene.has("snk_1").await);
    scene.publish(&[&FIRST_KEY, &SECOND_KEY]);
    scene.clock.set_unix_millis(0);
    assert!(scene.has("snk_2").await);
}

#[tokio::test]
async fn a_fetch_continues_when_its_caller_disconnects() {
    let scene = Arc::new(Scene::new().await);
    scene.hold();
    let leaving = Arc::clone(&scene);
    let request = tokio::spawn(async move { leaving.has("snk_1").await });
    scene.requests(1).await;
    request.abort();
    assert!(request.await.is_err());
    scene.release();
    assert!(scene.has("snk_1").await);
    assert_eq!(scene.request_count(), 1);
}

#[tokio::test]
async fn readiness_fetches_the_first_keys_and_reports_why_there_are_none() {
    let scene = Scene::new().await;
    assert_eq!(scene.keys.name(), "keys");
    scene.answer_keys(Answer::status(503));
    assert_eq!(
        scene.keys.ready().await,
        Err(NotReady(format!(
            "no signing key of {}/keys is known: Scalekit responded with status 503",
            scene.environment.url()
        )))
    );
    scene.publish(&[&FIRST_KEY]);
    assert!(scene.keys.ready().await.is_err(), "no second attempt so soon");
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.keys.ready().await, Ok(()));
    assert_eq!(scene.request_count(), 2);
}
