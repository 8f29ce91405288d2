//! What a server tells those who have no token.

use super::*;
use crate::Links;

/// Status, type and text of the answer to a GET request.
async fn get(server: &Server, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).header(HOST, "localhost:3002").body(Body::empty()).unwrap();
    let response = server.answer(request).await;
    let kind = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, kind, String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn a_server_that_drains_is_not_ready_and_serves() {
    let server = builder().build().unwrap();
    assert_eq!(get(&server, "/readyz").await.0, StatusCode::OK);
    server.drain();
    let (status, _, body) = get(&server, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, r#"{"status":"not ready","waiting_for":["stopping"]}"#);
    assert_eq!(get(&server, "/healthz").await.0, StatusCode::OK);
    let answer = call(&server, "notes:read", "read_team", json!({})).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_text_is_served_below_well_known_under_our_hosts() {
    let server = builder().well_known("example-challenge", "t0ken").build().unwrap();
    let path = "/.well-known/example-challenge";
    let plain = "text/plain; charset=utf-8".to_owned();
    assert_eq!(get(&server, path).await, (StatusCode::OK, plain, "t0ken".to_owned()));
    let elsewhere = Request::get(path).header(HOST, "evil.example").body(Body::empty()).unwrap();
    assert_eq!(server.answer(elsewhere).await.status(), StatusCode::FORBIDDEN);
    let without = builder().build().unwrap();
    assert_eq!(get(&without, path).await.0, StatusCode::NOT_FOUND);
}

#[test]
fn a_text_below_well_known_has_a_name_of_its_own() {
    for name in ["", "a/b", "{x}", "oauth-protected-resource", "oauth-authorization-server"] {
        let error = builder().well_known(name, "").build().err();
        assert_eq!(error, Some(BuildError::WellKnown(name)));
    }
    let error = builder().well_known("a", "").well_known("a", "").build().err();
    assert_eq!(error, Some(BuildError::WellKnown("a")));
}

#[tokio::test]
async fn links_are_in_the_metadata_and_in_what_the_server_says_about_itself() {
    let link = |path: &str| format!("https://example.com/{path}").parse().ok();
    let (privacy, terms, support) = (link("privacy"), link("terms"), link("support"));
    let server = builder().links(Links { privacy, terms, support }).build().unwrap();
    let path = "/.well-known/oauth-protected-resource";
    let metadata: Value = serde_json::from_str(&get(&server, path).await.2).unwrap();
    assert_eq!(metadata["resource_policy_uri"], "https://example.com/privacy");
    assert_eq!(metadata["resource_tos_uri"], "https://example.com/terms");
    let params = json!({ "protocolVersion": "2025-11-25" });
    let described = send(&server, "notes:read", "initialize", params).await.body;
    let website = &described["result"]["serverInfo"]["websiteUrl"];
    assert_eq!(website, "https://example.com/support");

    let without = builder().build().unwrap();
    let (_, _, metadata) = get(&without, path).await;
    assert!(!metadata.contains("_uri"), "{metadata}");
}
