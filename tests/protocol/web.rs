//! Browsers: which pages may use the server, under which names, and with which methods.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::json;
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn ping(client: &Client, header: &'static str, value: &str) -> Answer {
    let mut headers = client.headers();
    headers.insert(header, value.parse().unwrap());
    client.send(headers, PING).await
}

#[tokio::test]
async fn a_foreign_host_or_origin_is_refused_and_the_setting_named() {
    let server = TestServer::start().await;
    let client = server.owner();
    let host = ping(&client, "host", "evil.example.com").await;
    assert_eq!((host.status, host.error_code()), (403, 403));
    assert!(host.text.contains("ALLOWED_HOSTS"), "{host:?}");
    let origin = ping(&client, "origin", "https://evil.example.com").await;
    assert_eq!((origin.status, origin.error_code()), (403, 403));
    assert!(origin.text.contains("ALLOWED_ORIGINS"), "{origin:?}");
    assert!(origin.header("access-control-allow-origin").is_none());
    // Before anything about tokens, so that a page learns nothing by probing.
    let anonymous = ping(&server.anonymous(), "origin", "https://evil.example.com").await;
    assert_eq!(anonymous.status, 403);
}

#[tokio::test]
async fn the_documents_are_served_under_our_own_names_only() {
    let server = TestServer::start().await;
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"]
    {
        let client = Client::new(format!("{}{path}", server.base), None);
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("evil.example.com"));
        assert_eq!(client.request(Method::GET, headers, "").await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn pages_and_programs_of_this_machine_are_welcome() {
    let server = TestServer::start().await;
    let client = server.owner();
    for origin in ["http://localhost:6274", "http://127.0.0.1:6274", "http://[::1]:5173"] {
        let answer = ping(&client, "origin", origin).await;
        assert_eq!(answer.status, 200, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    for host in ["127.0.0.1", "[::1]:3002", "localhost"] {
        assert_eq!(ping(&client, "host", host).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn hosts_and_origins_of_the_settings_are_welcome_too() {
    let server = TestServer::with([
        ("MCP_URL", "https://todo.example.com/"),
        ("ALLOWED_HOSTS", "localhost, inside.example"),
        ("ALLOWED_ORIGINS", "http://localhost:6274"),
    ])
    .await;
    let client = server.owner();
    for host in ["todo.example.com", "inside.example:8080"] {
        assert_eq!(ping(&client, "host", host).await.status, 200, "{host}");
    }
    assert_eq!(ping(&client, "origin", "http://localhost:6274").await.status, 200);
    assert_eq!(ping(&client, "origin", "http://localhost:9999").await.status, 403);
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_token() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let mut headers = HeaderMap::new();
    headers.insert("origin", HeaderValue::from_static("http://localhost:6274"));
    headers.insert("access-control-request-method", HeaderValue::from_static("POST"));
    let asked = "authorization,content-type,mcp-protocol-version,mcp-method,mcp-name,mcp-param-x";
    headers.insert("access-control-request-headers", HeaderValue::from_static(asked));
    let answer = client.request(Method::OPTIONS, headers, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    assert_eq!(answer.header("access-control-allow-headers"), Some(asked));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
}

#[tokio::test]
async fn a_page_can_read_the_challenge() {
    let server = TestServer::start().await;
    let answer = ping(&server.anonymous(), "origin", "http://localhost:6274").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://localhost:6274"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("www-authenticate"), "{exposed}");
}

#[tokio::test]
async fn there_is_no_stream_to_open_and_no_session_to_end() {
    let server = TestServer::start().await;
    let client = server.owner();
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let answer = client.request(method.clone(), client.headers(), "").await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.header("allow"), Some("POST, OPTIONS"), "{method}");
        assert_eq!(answer.json()["jsonrpc"], json!("2.0"), "{method}");
    }
}
