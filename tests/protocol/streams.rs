//! Idle streams while time passes (R27, R83).
//!
//! The clock of the runtime is paused: it jumps to the next timer.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use todo_tests::server::TestServer;

/// Listens with a token that expires in ten minutes, and pauses the clock.
async fn listening(server: &TestServer, id: Value) -> Body {
    let mut claims = server.issuer.claims("usr_owner", Some("org_1"), "todo:read");
    claims["exp"] = json!(todo_tests::issuer::now() + 600);
    let client = server.bearer(&server.issuer.sign(&claims));
    let params = json!({ "notifications": { "resourcesListChanged": true } });
    let (headers, mut message) = client.modern_parts("subscriptions/listen", params);
    message["id"] = id;
    let mut request = Request::post("/mcp").body(Body::from(message.to_string())).unwrap();
    *request.headers_mut() = headers;
    request.headers_mut().insert("host", "localhost".parse().unwrap());
    let response = server.server.answer(request).await;
    assert_eq!(response.status(), 200);
    tokio::time::pause();
    response.into_body()
}

/// The next chunk of a stream, as text.
async fn next(body: &mut Body) -> Option<String> {
    let frame = body.frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_until_its_token_ends() {
    let server = TestServer::start().await;
    let mut body = listening(&server, json!(7)).await;
    let first = next(&mut body).await.unwrap();
    assert!(first.contains("notifications/subscriptions/acknowledged"), "{first}");
    let began = tokio::time::Instant::now();
    let (mut comments, mut last) = (0, String::new());
    while let Some(text) = next(&mut body).await {
        assert!(last.is_empty(), "nothing follows the result");
        if text.starts_with(':') {
            comments += 1;
        } else {
            last = text;
        }
    }
    // Every 15 seconds for ten minutes, give or take the time until the start.
    assert!((35..=40).contains(&comments), "{comments}");
    let seconds = began.elapsed().as_secs();
    assert!((560..=600).contains(&seconds), "{seconds}");
    let last: Value = serde_json::from_str(last.trim_start_matches("data: ")).unwrap();
    assert_eq!(last["id"], 7, "an id keeps its type");
    assert_eq!(last["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
}
