//! Requests without a valid token, and their challenges.

use reqwest::Method;
use serde_json::json;
use todo_tests::issuer::now;

use crate::target::Target;

/// RFC 6750 section 3.1: a request without credentials gets no error. MCP Authorization: the
/// challenge names the URL of the metadata and the scopes.
#[tokio::test]
async fn without_a_token_the_challenge_has_no_error() {
    let target = Target::new().await;
    let answer = target.call(&target.anonymous(), &target.read).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    let challenge = answer.challenge();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(challenge.contains("resource_metadata=\"http"), "{challenge}");
    assert!(challenge.contains("scope=\""), "{challenge}");
    assert!(!challenge.contains("error"), "{challenge}");
}

/// RFC 6750 section 3: with credentials, the error is named and described.
#[tokio::test]
async fn with_an_invalid_token_the_challenge_has_an_error() {
    let target = Target::new().await;
    let expired = target.token(&target.claims_with("exp", now() - 3600));
    let answer = target.try_token(&expired).await;
    let challenge = answer.challenge();
    for part in
        ["error=\"invalid_token\"", "error_description=\"", "resource_metadata=\"", "scope=\""]
    {
        assert_eq!(challenge.matches(part).count(), 1, "{part} in {challenge}");
    }
    let description = challenge.split("error_description=\"").nth(1).unwrap();
    let description = description.split('"').next().unwrap();
    // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
    assert!(description.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\'));
}

/// MCP Authorization: every HTTP request needs a token, whatever its content. A dual-era client
/// takes a 400 for an old server, so an authorization problem is never a 400.
#[tokio::test]
async fn every_message_needs_a_token() {
    let target = Target::new().await;
    let anonymous = target.anonymous();
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "not json",
        "",
    ] {
        let answer = anonymous.post(body).await;
        assert_eq!(answer.status, 401, "{body}: {answer:?}");
        assert!(answer.challenge().starts_with("Bearer "));
    }
    let discover = anonymous.modern("server/discover", json!({})).await;
    assert_eq!(discover.status, 401, "{discover:?}");
    let mut headers = anonymous.headers();
    headers.insert("mcp-session-id", "1".parse().unwrap());
    let session = anonymous.send(headers, "{}").await;
    assert_eq!(session.status, 401, "a session is not a token: {session:?}");
    for method in [Method::GET, Method::DELETE] {
        let answer = anonymous.request(method.clone(), anonymous.headers(), "").await;
        assert!([401, 405].contains(&answer.status), "{method}: {answer:?}");
    }
}

/// RFC 6750 section 2: one token in each request.
#[tokio::test]
async fn two_authorization_headers_are_rejected() {
    let target = Target::new().await;
    let client = target.anonymous();
    let mut headers = client.headers();
    for _ in 0..2 {
        let token = target.token(&target.claims());
        headers.append("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let answer = client.send(headers, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert!([400, 401].contains(&answer.status), "{answer:?}");
}

/// A token accepted in one request is verified again in the next.
#[tokio::test]
async fn each_request_is_authenticated_on_its_own() {
    let target = Target::new().await;
    let good = target.token(&target.claims());
    target.accepts("before", &good).await;
    let answer = target.call(&target.anonymous(), &target.read).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    let bad = target.token(&target.claims_with("exp", now() - 3600));
    target.refuses("between", &bad).await;
    target.accepts("after", &good).await;
}
