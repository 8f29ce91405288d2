use super::*;
use crate::test_issuer::{Answer, Scene};

const PATH_INSERTED: &str = "/.well-known/oauth-authorization-server/resources/res_1";
const PATH_APPENDED: &str = "/resources/res_1/.well-known/oauth-authorization-server";
/// Spaces, order, unknown and repeated members are the authorization server's business.
const METADATA: &str = "{ \"issuer\":\"i\",\n  \"z\": 1.50, \"a\":\"\\u00e9\", \"a\": null }\n";

fn authorization_server(scene: &Scene) -> ScalekitAuthorizationServer {
    ScalekitAuthorizationServer::new(&scene.environment, scene.http.clone(), scene.clock.clone())
}

#[tokio::test]
async fn the_document_is_forwarded_verbatim_and_fetched_every_five_minutes() {
    let scene = Scene::new().await;
    let server = authorization_server(&scene);
    scene.answer(PATH_INSERTED, Answer::ok(METADATA));
    assert_eq!(&*server.metadata().await.expect("metadata"), METADATA);
    scene.answer(PATH_INSERTED, Answer::ok("{}"));
    scene.clock.advance_almost(LIFETIME);
    assert_eq!(&*server.metadata().await.expect("metadata"), METADATA);
    assert_eq!(scene.requested(), [PATH_INSERTED]);
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(&*server.metadata().await.expect("metadata"), "{}");
}

#[tokio::test]
async fn the_appended_path_is_tried_when_the_inserted_one_has_no_document() {
    for answer in [
        Answer::status(404),
        Answer::status(500),
        Answer::ok("<html></html>"),
        Answer::ok("[]"),
        Answer::ok("{"),
        Answer::ok(vec![b' '; MAX_METADATA_BYTES + 1]),
    ] {
        let scene = Scene::new().await;
        scene.answer(PATH_INSERTED, answer);
        scene.answer(PATH_APPENDED, Answer::ok(METADATA));
        let metadata = authorization_server(&scene).metadata().await;
        assert_eq!(&*metadata.expect("metadata"), METADATA);
        assert_eq!(scene.requested(), [PATH_INSERTED, PATH_APPENDED]);
    }
}

#[tokio::test]
async fn a_failure_is_reported_for_five_seconds_before_the_next_attempt() {
    let scene = Scene::new().await;
    let server = authorization_server(&scene);
    for _ in 0..10 {
        let error = server.metadata().await.expect_err("no metadata");
        assert_eq!(error.to_string(), "Scalekit responded with status 404");
    }
    assert_eq!(scene.request_count(), 2);
    scene.answer(PATH_INSERTED, Answer::ok(METADATA));
    scene.clock.advance(FAILURE_LIFETIME);
    assert_eq!(&*server.metadata().await.expect("metadata"), METADATA);
}

#[tokio::test]
async fn a_document_that_is_too_old_is_not_forwarded() {
    let scene = Scene::new().await;
    let server = authorization_server(&scene);
    scene.answer(PATH_INSERTED, Answer::ok(METADATA));
    assert!(server.metadata().await.is_ok());
    scene.answer(PATH_INSERTED, Answer::status(503));
    scene.clock.advance(LIFETIME);
    assert!(server.metadata().await.is_err());
}

#[tokio::test]
async fn concurrent_calls_share_one_request() {
    let scene = Scene::new().await;
    let server = authorization_server(&scene);
    scene.answer(PATH_INSERTED, Answer::ok(METADATA));
    scene.hold();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { server.metadata().await })
        })
        .collect();
    scene.requests(1).await;
    scene.release();
    for call in calls {
        assert_eq!(&*call.await.expect("a result").expect("metadata"), METADATA);
    }
    assert_eq!(scene.request_count(), 1);
}

#[tokio::test]
async fn a_host_that_does_not_respond_is_tried_once() {
    let scene = Scene::new().await;
    scene.answer(PATH_APPENDED, Answer::ok(METADATA));
    scene.hold();
    let impatient = ScalekitHttp::with_total_time(&scene.environment, Duration::from_millis(50));
    let server =
        ScalekitAuthorizationServer::new(&scene.environment, impatient, scene.clock.clone());
    assert!(server.metadata().await.is_err());
    assert!(!scene.requested().contains(&PATH_APPENDED.to_owned()));
}
