//! From a URL to a token: metadata, challenges, and the routes that need no token.

use reqwest::Method;
use serde_json::json;
use todo_tests::client::{Answer, Client};
use todo_tests::issuer::RESOURCE_ID;
use todo_tests::server::TestServer;

async fn get(server: &TestServer, path: &str) -> Answer {
    let client = Client::new(format!("{}{path}", server.base), None);
    client.request(Method::GET, reqwest::header::HeaderMap::new(), "").await
}

#[tokio::test]
async fn the_resource_metadata_is_served_at_both_paths() {
    let server = TestServer::start().await;
    let root = get(&server, "/.well-known/oauth-protected-resource").await;
    let inserted = get(&server, "/.well-known/oauth-protected-resource/mcp").await;
    assert_eq!(root.text, inserted.text);
    assert_eq!(root.header("content-type"), Some("application/json"));
    assert_eq!(root.header("access-control-allow-origin"), Some("*"));
    let document = root.json();
    assert_eq!(document["resource"], server.endpoint());
    assert_eq!(
        document["authorization_servers"],
        json!([format!("{}/resources/{RESOURCE_ID}", server.issuer.url())])
    );
    assert_eq!(document["scopes_supported"], json!(["todo:read", "todo:write"]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
}

#[tokio::test]
async fn the_challenge_names_the_url_of_the_metadata() {
    let server = TestServer::start().await;
    let answer = server.anonymous().legacy("ping", json!({})).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.challenge(),
        format!(
            "Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\", \
             scope=\"todo:read todo:write\"",
            server.base
        )
    );
}

#[tokio::test]
async fn behind_a_proxy_the_public_url_comes_from_the_settings() {
    let server = TestServer::with([("MCP_URL", "https://todo.example.com/apps/")]).await;
    let client = server.anonymous();
    let mut headers = client.headers();
    headers.insert("host", "todo.example.com".parse().unwrap());
    headers.insert("x-forwarded-host", "evil.example.com".parse().unwrap());
    let answer = client.send(headers, "{}").await;
    assert!(
        answer
            .challenge()
            .contains("\"https://todo.example.com/.well-known/oauth-protected-resource/apps/mcp\""),
        "{answer:?}"
    );
    for path in
        ["/.well-known/oauth-protected-resource/apps/mcp", "/.well-known/oauth-protected-resource"]
    {
        let document = Client::new(format!("{}{path}", server.base), None);
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("host", "todo.example.com".parse().unwrap());
        let answer = document.request(Method::GET, headers, "").await;
        assert_eq!(answer.json()["resource"], "https://todo.example.com/apps/mcp", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("host", "evil.example.com".parse().unwrap());
        let refused = document.request(Method::GET, headers, "").await;
        assert_eq!(refused.status, 403, "{path}");
    }
}

/// A client compares the document with the URL that it was given (RFC 9728 section 3.3).
#[tokio::test]
async fn on_this_machine_document_and_challenge_state_the_host_that_was_asked() {
    let server = TestServer::start().await;
    let port = server.base.rsplit(':').next().unwrap();
    for host in ["127.0.0.1", "[::1]", "todo.localhost", "LocalHost"] {
        let authority = format!("{host}:{port}");
        let expected = format!("http://{}", authority.to_ascii_lowercase());
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("host", authority.parse().unwrap());
        for path in ["", "/mcp", "/mcp/"] {
            let url = format!("{}/.well-known/oauth-protected-resource{path}", server.base);
            let client = Client::new(url, None);
            let answer = client.request(Method::GET, headers.clone(), "").await;
            assert_eq!(answer.json()["resource"], format!("{expected}/mcp"), "{host} {path}");
            assert_eq!(answer.header("vary"), Some("Host"), "{host} {path}");
        }
        let client = server.anonymous();
        let mut headers = client.headers();
        headers.insert("host", authority.parse().unwrap());
        let answer = client.send(headers, "{}").await;
        let metadata = format!("\"{expected}/.well-known/oauth-protected-resource/mcp\"");
        assert!(answer.challenge().contains(&metadata), "{answer:?}");
    }
}

#[tokio::test]
async fn authorization_server_metadata_is_forwarded_verbatim() {
    let server = TestServer::start().await;
    let answer = get(&server, "/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.status, 200);
    let issuer = format!("{}/resources/{RESOURCE_ID}", server.issuer.url());
    assert_eq!(answer.json()["issuer"], issuer);
}

#[tokio::test]
async fn unavailable_metadata_is_a_bad_gateway() {
    let server = TestServer::with([("SCALEKIT_ENVIRONMENT_URL", "http://127.0.0.1:1")]).await;
    let answer = get(&server, "/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.status, 502);
    assert!(answer.json()["error_description"].is_string());
}

#[tokio::test]
async fn without_keys_a_token_is_answered_with_503() {
    let server = TestServer::with([("SCALEKIT_ENVIRONMENT_URL", "http://127.0.0.1:1")]).await;
    let answer = server.owner().legacy("ping", json!({})).await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert!(answer.header("www-authenticate").is_none());
    assert_eq!(get(&server, "/healthz").await.status, 200);
    let ready = get(&server, "/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["waiting_for"], json!(["keys"]));
}

#[tokio::test]
async fn a_working_server_is_ready_under_any_host() {
    let server = TestServer::start().await;
    assert_eq!(server.owner().legacy("ping", json!({})).await.status, 200);
    for path in ["/healthz", "/readyz"] {
        let client = Client::new(format!("{}{path}", server.base), None);
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("host", "10.0.0.7:8080".parse().unwrap());
        let answer = client.request(Method::GET, headers, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn other_paths_are_not_found_and_name_the_endpoint() {
    let server = TestServer::start().await;
    for path in ["/", "/sse", "/.well-known/openid-configuration", "/mcp/more"] {
        let answer = get(&server, path).await;
        assert_eq!((answer.status, answer.error_code()), (404, -32600), "{path}");
        assert!(answer.text.contains("/mcp"), "{answer:?}");
    }
}
