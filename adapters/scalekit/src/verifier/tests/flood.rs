//! New tokens while there is no time for them. The clock of the runtime is paused once the keys are known.

use super::*;

impl Scene {
    /// A scene whose keys are known, and with no time left to verify tokens.
    async fn flooded() -> Self {
        let scene = Self::new().await;
        assert!(scene.verify(&scene.token(&FIRST_KEY)).await.is_ok());
        tokio::time::pause();
        scene.verifier.budget.exhaust();
        scene
    }

    /// A valid token that is unlike any other number's.
    fn numbered(&self, number: usize) -> String {
        FIRST_KEY.token(&changed(self.claims(), &json!({"jti": format!("tkn_new_{number}")})))
    }
}

/// The result of one poll.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        result = future => Some(result),
        () = std::future::ready(()) => None,
    }
}

#[tokio::test]
async fn a_cached_token_waits_for_nothing_and_a_new_one_for_its_turn() {
    let scene = Scene::flooded().await;
    let cached = scene.token(&FIRST_KEY);
    assert!(at_once(scene.verify(&cached)).await.is_some_and(|caller| caller.is_ok()));
    let new = scene.numbered(1);
    assert!(at_once(scene.verify(&new)).await.is_none());
    assert!(scene.verify(&new).await.is_ok());
}

#[tokio::test]
async fn what_can_be_rejected_without_arithmetic_waits_for_nothing() {
    let scene = Scene::flooded().await;
    let good = scene.numbered(1);
    let (signing_input, signature) = good.rsplit_once('.').expect("a signature");
    let unknown = changed(FIRST_KEY.header(), &json!({"kid": "snk_9"}));
    for (token, rejection) in [
        ("opaque".to_owned(), InvalidToken::Malformed),
        (scene.token_with_header(&json!({"alg": "none"})), InvalidToken::Algorithm),
        (scene.token_with_header(&unknown), InvalidToken::UnknownKey),
        (format!("{signing_input}."), InvalidToken::Signature),
        (format!("{signing_input}.{}", &signature[2..]), InvalidToken::Signature),
        (format!("{signing_input}.{signature}AAAA"), InvalidToken::Signature),
    ] {
        assert_eq!(at_once(scene.verify(&token)).await, Some(Err(rejection)), "{token}");
    }
}

#[tokio::test]
async fn a_token_that_was_not_verified_is_not_rejected() {
    let scene = Arc::new(Scene::flooded().await);
    let tokens: Vec<_> = (0..40).map(|number| scene.numbered(number)).collect();
    let all = tokens.into_iter().map(|token| {
        let scene = Arc::clone(&scene);
        tokio::spawn(async move { scene.verifier.authenticate(&token).await })
    });
    let mut accepted = 0;
    for one in all.collect::<Vec<_>>() {
        match one.await.expect("a result") {
            Ok(_) => accepted += 1,
            Err(AuthenticationError::Overloaded) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(accepted, 16, "as many as wait in the queue of a known subject");
}

#[tokio::test]
async fn a_token_that_is_sent_several_times_at_once_is_accepted_each_time() {
    let scene = Arc::new(Scene::flooded().await);
    let token = scene.numbered(1);
    let all = (0..16).map(|_| {
        let (scene, token) = (Arc::clone(&scene), token.clone());
        tokio::spawn(async move { scene.verify(&token).await })
    });
    let mut callers = Vec::new();
    for one in all.collect::<Vec<_>>() {
        callers.push(one.await.expect("a result").expect("a caller"));
    }
    let is_first = |caller: &Arc<Caller>| Arc::ptr_eq(caller, &callers[0]);
    assert!(callers.iter().all(is_first), "it was verified once");
}
