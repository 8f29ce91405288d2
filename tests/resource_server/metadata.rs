//! The protected-resource metadata (RFC 9728).

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use todo_tests::client::{Answer, Client};

use crate::target::Target;

async fn get(url: &str) -> Answer {
    Client::new(url.to_owned(), None).request(Method::GET, HeaderMap::new(), "").await
}

async fn linked(target: &Target) -> (String, Answer) {
    let answer = target.call(&target.anonymous(), &target.read).await;
    let link = answer.challenge().split("resource_metadata=\"").nth(1).unwrap();
    let link = link.split('"').next().unwrap().to_owned();
    let document = get(&link).await;
    (link, document)
}

/// RFC 9728 section 3.3: `resource` is the URL that the client used, or the client must not use the
/// document.
#[tokio::test]
async fn the_metadata_of_the_challenge_names_this_resource() {
    let target = Target::new().await;
    let (_, answer) = linked(&target).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    let document: Value = answer.json();
    assert_eq!(document["resource"], target.endpoint);
    let servers = document["authorization_servers"].as_array().unwrap();
    assert!(!servers.is_empty() && servers.iter().all(Value::is_string), "{document}");
}

/// MCP Authorization: without a challenge, clients try two well-known paths.
#[tokio::test]
async fn the_metadata_is_at_the_well_known_path() {
    let target = Target::new().await;
    let (_, linked) = linked(&target).await;
    let (origin, path) = target.endpoint.split_at(target.endpoint[8..].find('/').unwrap() + 8);
    for place in [
        format!("{origin}/.well-known/oauth-protected-resource{path}"),
        format!("{origin}/.well-known/oauth-protected-resource"),
    ] {
        let answer = get(&place).await;
        assert_eq!(answer.status, 200, "{place}: {answer:?}");
        assert_eq!(answer.json(), linked.json(), "{place}");
    }
}

/// MCP 2026-07-28 (SEP-2207): refresh tokens are between the client and the authorization server.
#[tokio::test]
async fn offline_access_is_not_among_the_scopes() {
    let target = Target::new().await;
    let (_, document) = linked(&target).await;
    assert!(!document.text.contains("offline_access"), "{document:?}");
    let answer = target.call(&target.anonymous(), &target.read).await;
    assert!(!answer.challenge().contains("offline_access"), "{answer:?}");
}

/// Without scopes in the challenge, clients request all that the document lists.
#[tokio::test]
async fn the_metadata_lists_the_scopes() {
    let target = Target::new().await;
    let (_, document) = linked(&target).await;
    let scopes = document.json()["scopes_supported"].clone();
    for scope in [&target.read.scope, &target.write.scope] {
        assert!(scopes.as_array().unwrap().iter().any(|it| it == scope), "{scope} in {scopes}");
    }
}

/// Web clients fetch it from a page.
#[tokio::test]
async fn any_page_may_read_the_metadata() {
    let target = Target::new().await;
    let (link, _) = linked(&target).await;
    let mut headers = HeaderMap::new();
    headers.insert("origin", "https://client.example".parse().unwrap());
    let answer = Client::new(link, None).request(Method::GET, headers, "").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
}
