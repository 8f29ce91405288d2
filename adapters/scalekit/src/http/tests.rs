use super::*;
use crate::test_issuer::{Answer, Scene};

#[tokio::test]
async fn a_document_may_have_as_many_bytes_as_the_limit() {
    let scene = Scene::new().await;
    let url = scene.environment.keys_url();
    scene.answer_keys(Answer::ok("x".repeat(1000)));
    assert_eq!(scene.http.text(url, 1000).await.expect("a text").len(), 1000);
    let too_large = scene.http.text(url, 999).await;
    assert!(matches!(too_large, Err(FetchError::TooLarge { limit: 999 })), "{too_large:?}");
}

#[tokio::test]
async fn any_status_but_200_is_an_error() {
    let scene = Scene::new().await;
    for status in [201, 204, 304, 401, 404, 429, 500, 503] {
        scene.answer_keys(Answer::status(status));
        let answer = scene.http.text(scene.environment.keys_url(), 1000).await;
        assert!(matches!(answer, Err(FetchError::Status(got)) if got == status), "{answer:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let scene = Scene::new().await;
    scene.answer("/elsewhere", Answer::ok("{}"));
    scene.answer_keys(Answer {
        location: Some(HeaderValue::from_static("/elsewhere")),
        ..Answer::status(302)
    });
    let answer = scene.http.text(scene.environment.keys_url(), 1000).await;
    assert!(matches!(answer, Err(FetchError::Status(302))), "{answer:?}");
    assert_eq!(scene.requested(), ["/keys"]);
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_an_error() {
    let scene = Scene::new().await;
    scene.answer_keys(Answer::ok([0xff, 0xfe]));
    let answer = scene.http.text(scene.environment.keys_url(), 1000).await;
    assert!(matches!(answer, Err(FetchError::Unexpected { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_host_that_never_responds_is_an_error_after_the_time_limit() {
    let scene = Scene::new().await;
    scene.hold();
    let impatient = ScalekitHttp::with_total_time(&scene.environment, Duration::from_millis(20));
    let answer = impatient.text(scene.environment.keys_url(), 1000).await;
    let error = answer.expect_err("a time limit");
    assert!(matches!(&error, FetchError::Request(cause) if cause.is_timeout()), "{error:?}");
    assert!(error_chain(&error).starts_with("the request to Scalekit failed: "));
}

#[tokio::test]
async fn a_client_for_an_https_environment_makes_no_plain_http_request() {
    let scene = Scene::new().await;
    let remote =
        ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").expect("an environment");
    let http = ScalekitHttp::new(&remote).expect("a client");
    let answer = http.text(scene.environment.keys_url(), 1000).await;
    assert!(matches!(answer, Err(FetchError::Request(_))), "{answer:?}");
    assert_eq!(scene.request_count(), 0);
}
