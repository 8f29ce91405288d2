//! One endpoint, two eras of the protocol, no state between requests.

use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use todo_tests::client::{Client, MODERN};
use todo_tests::server::TestServer;

const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

async fn with_version(client: &Client, version: &str, method: &str) -> todo_tests::client::Answer {
    let mut headers = client.headers();
    headers.insert("mcp-protocol-version", version.parse().unwrap());
    let body = json!({ "jsonrpc": "2.0", "id": "a", "method": method });
    client.exchange(headers, &body).await
}

#[tokio::test]
async fn initialize_answers_with_the_revision_asked_for_or_the_newest_of_its_era() {
    let server = TestServer::start().await;
    let client = server.owner();
    let negotiated = async |version: &str| {
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let result = client.legacy("initialize", params).await.result();
        let offered = json!({
            "tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {},
        });
        assert_eq!(result["capabilities"], offered, "nothing that needs a session");
        assert_eq!(result["serverInfo"]["name"], "todo-mcp");
        assert_eq!(result["serverInfo"]["icons"].as_array().unwrap().len(), 2);
        assert!(result.get("resultType").is_none());
        result["protocolVersion"].as_str().unwrap().to_owned()
    };
    for version in LEGACY {
        assert_eq!(negotiated(version).await, version);
    }
    for other in ["2024-11-05", MODERN, "1999-01-01", ""] {
        assert_eq!(negotiated(other).await, LEGACY[0], "{other}");
    }
    assert_eq!(client.legacy("initialize", json!({})).await.error_code(), -32602);
}

#[tokio::test]
async fn legacy_methods_are_answered_under_every_legacy_revision_and_without_one() {
    let server = TestServer::start().await;
    let client = server.owner();
    for version in LEGACY {
        let answer = with_version(&client, version, "ping").await;
        assert_eq!(answer.json(), json!({ "jsonrpc": "2.0", "id": "a", "result": {} }));
    }
    assert_eq!(client.legacy("ping", json!({})).await.result(), json!({}));
}

#[tokio::test]
async fn an_unknown_revision_is_rejected_with_the_supported_ones() {
    let server = TestServer::start().await;
    let client = server.owner();
    let legacy = with_version(&client, "1999-01-01", "ping").await;
    let (mut headers, mut body) = client.modern_parts("tools/list", json!({}));
    headers.insert("mcp-protocol-version", HeaderValue::from_static("v999"));
    body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "v999".into();
    let modern = client.send(headers, body.to_string()).await;
    for (answer, requested) in [(legacy, "1999-01-01"), (modern, "v999")] {
        assert_eq!((answer.status, answer.error_code()), (400, -32022));
        let data = &answer.json()["error"]["data"];
        assert_eq!(data["requested"], requested);
        assert_eq!(data["supported"], json!([MODERN, LEGACY[0], LEGACY[1], LEGACY[2]]));
    }
}

#[tokio::test]
async fn notifications_and_responses_are_accepted_without_an_answer() {
    let server = TestServer::start().await;
    let client = server.owner();
    for body in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
    ] {
        let answer = client.exchange(client.headers(), &body).await;
        assert_eq!((answer.status, answer.text.as_str()), (202, ""), "{body}");
    }
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    for (version, status) in [("1999-01-01", 400), ("2025-06-18", 202), (MODERN, 202)] {
        let mut headers = client.headers();
        headers.insert("mcp-protocol-version", HeaderValue::from_static(version));
        assert_eq!(client.send(headers, body.clone()).await.status, status, "{version}");
    }
    assert_eq!(server.anonymous().post(body).await.status, 401, "a token is still required");
}

#[tokio::test]
async fn discovery_lists_the_capabilities() {
    let server = TestServer::start().await;
    let result = server.owner().modern("server/discover", json!({})).await.result();
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["supportedVersions"], json!([MODERN, LEGACY[0], LEGACY[1], LEGACY[2]]));
    let offered = json!({
        "tools": {},
        "resources": { "subscribe": true, "listChanged": true },
        "prompts": {},
        "completions": {},
    });
    assert_eq!(result["capabilities"], offered);
    assert_eq!(result["cacheScope"], "public");
    assert!(result["ttlMs"].is_u64());
    assert!(result["instructions"].as_str().unwrap().split_whitespace().count() <= 120);
    let server_info = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server_info["name"], "todo-mcp");
    assert_eq!(server_info["icons"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn every_modern_result_is_framed_and_no_legacy_one_is() {
    let server = TestServer::start().await;
    let client = server.owner();
    let call = json!({ "name": "list_todos", "arguments": {} });
    for (method, params) in [("tools/list", json!({})), ("tools/call", call)] {
        let modern = client.modern(method, params.clone()).await.result();
        assert_eq!(modern["resultType"], "complete", "{method}");
        assert!(modern["_meta"]["io.modelcontextprotocol/serverInfo"]["version"].is_string());
        let legacy = client.legacy(method, params).await.result();
        assert!(legacy.get("resultType").is_none() && legacy.get("_meta").is_none(), "{method}");
    }
    let modern = client.modern("tools/list", json!({})).await.result();
    assert_eq!(modern["cacheScope"], "public");
    assert!(modern["ttlMs"].is_u64());
    let legacy = client.legacy("tools/list", json!({})).await.result();
    assert!(legacy.get("ttlMs").is_none());
    assert_eq!(modern["tools"], legacy["tools"]);
}

#[tokio::test]
async fn an_unknown_method_gets_the_error_of_its_era() {
    let server = TestServer::start().await;
    let client = server.owner();
    let neither = ["tasks/list", "roots/list", "sampling/createMessage", "no/such/method"];
    let removed =
        ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
    for method in neither.into_iter().chain(removed) {
        let modern = client.modern(method, json!({})).await;
        assert_eq!((modern.status, modern.error_code()), (404, -32601), "{method}");
    }
    // A subscription of the old era would need a session, so it is not offered there.
    let subscriptions = ["resources/subscribe", "resources/unsubscribe"];
    let added = ["server/discover", "subscriptions/listen"];
    for method in neither.into_iter().chain(subscriptions).chain(added) {
        let legacy = client.legacy(method, json!({})).await;
        assert_eq!((legacy.status, legacy.error_code()), (200, -32601), "{method}");
    }
}

#[tokio::test]
async fn headers_of_the_new_era_must_match_the_body() {
    let server = TestServer::start().await;
    let client = server.owner();
    let call = json!({ "name": "list_todos", "arguments": {} });
    for (header, value) in [
        ("mcp-protocol-version", None),
        ("mcp-protocol-version", Some("2025-11-25")),
        ("mcp-method", None),
        ("mcp-method", Some("tools/list")),
        ("mcp-method", Some("TOOLS/CALL")),
        ("mcp-name", None),
        ("mcp-name", Some("get_todo")),
        ("mcp-name", Some("=?base64?!!!?=")),
    ] {
        let (mut headers, body) = client.modern_parts("tools/call", call.clone());
        headers.remove(header);
        if let Some(value) = value {
            headers.insert(header, HeaderValue::from_static(value));
        }
        let answer = client.send(headers, body.to_string()).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32020), "{header}: {value:?}");
        assert_eq!(answer.json()["id"], 1);
    }
    for header in ["mcp-name", "mcp-method", "mcp-protocol-version"] {
        let (mut headers, body) = client.modern_parts("tools/call", call.clone());
        let value = headers[header].clone();
        headers.append(header, value);
        let answer = client.send(headers, body.to_string()).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32020), "{header} twice");
    }
    let (mut headers, body) = client.modern_parts("tools/call", call);
    headers.insert("mcp-name", HeaderValue::from_static("=?base64?bGlzdF90b2Rvcw==?="));
    assert_eq!(client.send(headers, body.to_string()).await.status, 200);
}

#[tokio::test]
async fn the_envelope_of_the_new_era_must_be_complete() {
    let server = TestServer::start().await;
    let client = server.owner();
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    for meta in [
        Value::Null,
        json!([]),
        json!({}),
        json!({ capabilities: {} }),
        json!({ version: MODERN }),
        json!({ version: MODERN, capabilities: null }),
        json!({ version: 5, capabilities: {} }),
    ] {
        let (headers, mut body) = client.modern_parts("tools/list", json!({}));
        body["params"]["_meta"] = meta.clone();
        let answer = client.send(headers, body.to_string()).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32602), "{meta}");
    }
}

#[tokio::test]
async fn the_id_is_returned_unchanged() {
    let server = TestServer::start().await;
    let client = server.owner();
    for id in
        ["1", "-7", "0", "9007199254740993", "18446744073709551616", r#""a\u00fc\"b""#, r#""""#]
    {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let answer = client.post(body).await;
        assert!(answer.text.contains(&format!(r#""id":{id},"#)), "{id}: {answer:?}");
    }
    for (length, code) in [(254, None), (255, Some(-32600))] {
        let id = "x".repeat(length);
        let answer =
            client.post(format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"ping"}}"#)).await;
        assert_eq!(answer.json()["error"]["code"].as_i64(), code, "{length} bytes and two quotes");
    }
}

#[tokio::test]
async fn sessions_are_neither_created_nor_required() {
    let server = TestServer::start().await;
    let client = server.owner();
    let mut headers = client.headers();
    headers.insert("mcp-session-id", HeaderValue::from_static("from-another-server"));
    headers.insert("last-event-id", HeaderValue::from_static("7"));
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
    let answer = client.send(headers, body).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("mcp-session-id").is_none());
}

#[tokio::test]
async fn an_unknown_log_level_is_rejected_in_both_eras() {
    let server = TestServer::start().await;
    let client = server.owner();
    for (level, exists) in [(json!("warning"), true), (json!("loud"), false), (json!(3), false)] {
        let set = client.legacy("logging/setLevel", json!({ "level": level })).await;
        let (headers, mut body) = client.modern_parts("tools/list", json!({}));
        body["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = level.clone();
        let wanted = client.send(headers, body.to_string()).await;
        if exists {
            assert_eq!(set.result(), json!({}));
            assert!(wanted.result()["tools"].is_array());
        } else {
            assert_eq!(set.error_code(), -32602, "{level}");
            assert_eq!(wanted.error_code(), -32602, "{level}");
        }
    }
    assert_eq!(client.legacy("logging/setLevel", json!({})).await.error_code(), -32602);
}
