use tokio::sync::{mpsc, oneshot};

use super::*;
use crate::keys::MAX_AGE;
use crate::keys::schedule::{PAUSE, REFRESH_AFTER, RETRY_AFTER};
use crate::test_issuer::{Answer, Scene};
use crate::test_tokens::{FIRST_KEY, SECOND_KEY};

const MINUTE: Duration = Duration::from_mins(1);

/// Upkeep whose waits the test ends.
struct Upkeep(mpsc::UnboundedReceiver<Wait>);

struct Wait {
    duration: Duration,
    end: oneshot::Sender<()>,
}

impl Upkeep {
    fn of(scene: &Scene) -> Self {
        let (begun, waits) = mpsc::unbounded_channel();
        let keys = scene.keys.clone();
        tokio::spawn(async move {
            let wait = |duration| {
                let (end, ended) = oneshot::channel();
                // After the test nothing receives this, and nothing ends the wait.
                let _ = begun.send(Wait { duration, end });
                async move {
                    if ended.await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            };
            match keys.refresh_with(wait).await {}
        });
        Self(waits)
    }

    /// Returns when upkeep waits.
    async fn waits(&mut self) -> Wait {
        self.0.recv().await.expect("a wait")
    }

    /// Ends this wait, and as many more as fill `duration`. Returns when upkeep waits after the last
    /// one.
    async fn pass(&mut self, scene: &Scene, mut wait: Wait, mut duration: Duration) -> Wait {
        while !duration.is_zero() {
            scene.clock.advance(wait.duration);
            duration = duration.checked_sub(wait.duration).expect("a number of whole waits");
            wait.end();
            wait = self.waits().await;
        }
        wait
    }
}

impl Wait {
    fn end(self) {
        self.end.send(()).expect("upkeep");
    }
}

#[tokio::test]
async fn keys_are_fetched_without_a_request() {
    let scene = Scene::new().await;
    Upkeep::of(&scene).waits().await;
    assert_eq!(scene.requested(), ["/keys"]);
    assert!(scene.has("snk_1").await);
    assert_eq!(scene.request_count(), 1);
}

#[tokio::test]
async fn keys_are_fetched_every_ten_minutes_and_a_withdrawn_one_is_rejected() {
    let scene = Scene::new().await;
    let token = scene.token(&FIRST_KEY);
    let mut upkeep = Upkeep::of(&scene);
    let wait = upkeep.waits().await;
    assert!(scene.verifier.verify_token(&token).await.is_ok());
    scene.publish(&[&SECOND_KEY]);
    let wait = upkeep.pass(&scene, wait, 9 * MINUTE).await;
    assert_eq!(scene.request_count(), 1);
    assert!(scene.verifier.verify_token(&token).await.is_ok());
    upkeep.pass(&scene, wait, MINUTE).await;
    assert_eq!(scene.request_count(), 2);
    assert!(scene.verifier.verify_token(&token).await.is_err());
    assert!(scene.has("snk_2").await);
}

#[tokio::test]
async fn without_a_request_keys_are_known_within_ten_seconds_of_recovery() {
    let scene = Scene::new().await;
    scene.answer_keys(Answer::status(503));
    let mut upkeep = Upkeep::of(&scene);
    let mut wait = upkeep.waits().await;
    for (failures, seconds) in [1, 2, 4, 5, 5, 5].into_iter().enumerate() {
        assert_eq!(wait.duration, Duration::from_secs(seconds));
        assert_eq!(scene.request_count(), failures + 1);
        wait = upkeep.pass(&scene, wait, Duration::from_secs(seconds)).await;
    }
    scene.publish(&[&FIRST_KEY]);
    upkeep.pass(&scene, wait, Duration::from_secs(5)).await;
    let requests = scene.request_count();
    assert!(scene.has("snk_1").await);
    assert_eq!(scene.request_count(), requests);
}

#[tokio::test]
async fn the_last_keys_are_kept_in_an_outage_and_its_end_is_noticed_in_a_minute() {
    let scene = Scene::new().await;
    let mut upkeep = Upkeep::of(&scene);
    let wait = upkeep.waits().await;
    scene.answer_keys(Answer::status(503));
    let wait = upkeep.pass(&scene, wait, REFRESH_AFTER).await;
    assert_eq!(scene.request_count(), 2);
    let wait = upkeep.pass(&scene, wait, 2 * MAX_AGE).await;
    assert_eq!(scene.request_count(), 2 + 120);
    assert!(scene.has("snk_1").await);
    scene.publish(&[&SECOND_KEY]);
    upkeep.pass(&scene, wait, RETRY_AFTER).await;
    assert!(scene.has("snk_2").await);
    assert!(!scene.has("snk_1").await);
}

#[tokio::test]
async fn a_request_joins_the_fetch_in_flight() {
    let scene = Scene::new().await;
    scene.hold();
    let mut upkeep = Upkeep::of(&scene);
    scene.requests(1).await;
    let (is_known, ()) = tokio::join!(scene.has("snk_1"), async { scene.release() });
    assert!(is_known);
    upkeep.waits().await;
    assert_eq!(scene.request_count(), 1);
}

#[tokio::test]
async fn a_key_published_right_after_a_refresh_is_found_3_seconds_later() {
    let scene = Scene::new().await;
    let mut upkeep = Upkeep::of(&scene);
    upkeep.waits().await;
    scene.publish(&[&FIRST_KEY, &SECOND_KEY]);
    scene.clock.advance_almost(PAUSE);
    assert!(!scene.has("snk_2").await);
    scene.clock.advance(Duration::from_millis(1));
    assert!(scene.has("snk_2").await);
    for id in 0..100 {
        assert!(!scene.has(&format!("random_{id}")).await);
    }
    assert_eq!(scene.request_count(), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_is_noticed_within_a_minute() {
    let scene = Scene::new().await;
    let mut upkeep = Upkeep::of(&scene);
    for (requests, unix_millis) in [(2, 4_000_000_000_000), (3, 0)] {
        let wait = upkeep.waits().await;
        assert_eq!(wait.duration, LONGEST_WAIT);
        scene.clock.set_unix_millis(unix_millis);
        wait.end();
        scene.requests(requests).await;
    }
}

#[tokio::test]
async fn upkeep_stops_when_told_to() {
    let scene = Scene::new().await;
    scene.keys.clone().refresh_until(std::future::ready(())).await;
    assert_eq!(scene.request_count(), 0);
    scene.hold();
    let (stop, stopped) = oneshot::channel::<()>();
    let upkeep = tokio::spawn(scene.keys.clone().refresh_until(async {
        let _ = stopped.await;
    }));
    scene.requests(1).await;
    assert!(!upkeep.is_finished());
    drop(stop);
    upkeep.await.expect("to end");
}
