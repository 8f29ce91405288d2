//! The log never contains a token, a title or a description, at any level.
#![cfg(unix)]

use rmcp::ClientLifecycleMode;
use serde_json::{Value, json};
use todo_tests::client::Client;
use url::Url;

use crate::browser::Browser;
use crate::installation::Installation;
use crate::sdk::Application;

const TITLE: &str = "MILK-THAT-NOBODY-KNOWS-OF";
const DESCRIPTION: &str = "OATS-THAT-NOBODY-KNOWS-OF";
const NOT_A_TOKEN: &str = "NOT-A-TOKEN-BUT-STILL-SECRET";

#[tokio::test]
async fn secrets_and_user_content_are_not_logged() {
    for filter in ["trace", "info"] {
        let server = Installation::new().with("RUST_LOG", filter).serve().await;
        let browser = Browser::new();
        let mut application = Application::new(&server.endpoint).await;
        let page = browser.open(&application.log_in().await).await;
        let everything = ["todo:read", "todo:write", "offline_access"];
        let callback = browser.allow(&page, &everything).await;
        let first = application.come_back(&callback).await;
        let second = application.refresh().await;
        let printed = server.token().await;

        let client = application.connect(ClientLifecycleMode::Initialize).await;
        let todo = json!({ "title": TITLE, "description": DESCRIPTION });
        let id = client.content("create_todo", todo).await["todo"]["id"].clone();
        let changed = json!({ "todo_id": id, "description": format!("{DESCRIPTION} {TITLE}") });
        client.content("update_todo", changed).await;
        client.content("list_todos", json!({})).await;
        client.close().await;

        // Rejected input is not logged either.
        let caller = server.bearer(&printed);
        caller.call("create_todo", json!({ "title": TITLE.repeat(1000) })).await;
        caller.call("create_todo", json!({ "title": TITLE, DESCRIPTION: 1 })).await;
        caller.call("get_todo", json!({ "todo_id": TITLE })).await;
        caller.post(format!(r#"{{"jsonrpc": "2.0", "{TITLE}"#)).await;
        let forged = format!("{}AAAA", &printed[..printed.len() - 4]);
        for bad in [NOT_A_TOKEN, &forged] {
            let refused = server.bearer(bad).call("list_todos", json!({})).await;
            assert_eq!(refused.status, 401);
            assert!(!refused.text.contains(bad) && !refused.challenge().contains(bad));
        }
        let ended = server.stop().await;

        let code = Url::parse(&callback).unwrap();
        let (_, code) = code.query_pairs().find(|(name, _)| name == "code").unwrap();
        let mut secrets = vec![TITLE, DESCRIPTION, NOT_A_TOKEN, &code];
        secrets.extend([&first, &second].map(|tokens| tokens.refresh.as_deref().unwrap()));
        for token in [&first.access, &second.access, &printed, &forged] {
            secrets.extend(token.split('.').skip(1));
        }
        let log = ended.stdout + &ended.stderr;
        assert_eq!(log.contains("\"TRACE\""), filter == "trace", "{log}");
        for secret in secrets {
            for piece in secret.as_bytes().chunks_exact(20) {
                let piece = std::str::from_utf8(piece).unwrap();
                let held = log.lines().find(|line| line.contains(piece));
                assert_eq!(held, None, "{filter} holds {piece}");
            }
        }
    }
}

#[tokio::test]
async fn no_caller_writes_into_the_log() {
    let server = Installation::new().serve().await;
    let caller = server.caller().await;
    let method = "tools/list\u{1b}[2J\u{9b}\u{202e}\u{2028}forged";
    assert_eq!(caller.legacy(method, json!({})).await.error_code(), -32601);
    assert_eq!(caller.legacy("tools/list", json!({})).await.status, 200);
    let ended = server.stop().await;
    let requests = ended.stderr.lines().filter(|line| line.contains("protected_mcp::request"));
    let methods: Vec<_> = requests
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["method"].clone())
        .collect();
    assert_eq!(methods, ["unknown", "tools/list"]);
    assert!(!ended.stderr.contains("forged"), "{}", ended.stderr);
}

/// An operator sees why a caller did not get in, and who knocks at the wrong door.
#[tokio::test]
async fn the_log_says_why_a_request_was_refused() {
    let server = Installation::new().serve().await;
    let without_scope = server.token_for(&json!({ "scope": "openid" })).await;
    let expired = server.token_for(&json!({ "expires_in": -60 })).await;
    server.get("/nothing-here").await;
    server.get("/mcp").await;
    Client::new(server.endpoint.clone(), None).call("list_todos", json!({})).await;
    server.bearer(&expired).call("list_todos", json!({})).await;
    server.bearer(&without_scope).call("list_todos", json!({})).await;
    let ended = server.stop().await;

    let requests = ended.stderr.lines().filter(|line| line.contains("protected_mcp::request"));
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let logged: Vec<(u64, String, String, String)> = requests
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| {
            let status = event["status"].as_u64().unwrap();
            (status, text(&event, "http.path"), text(&event, "code"), text(&event, "reason"))
        })
        .collect();
    let expected = [
        (404, "/nothing-here", "", ""),
        (405, "/mcp", "", ""),
        (401, "", "missing_token", "This server needs an access token"),
        (401, "", "expired", "The access token was refused: it expired at "),
        (403, "", "insufficient_scope", "Insufficient permissions: `todo:read` scope required"),
    ];
    assert_eq!(logged.len(), expected.len(), "{logged:?}");
    for ((status, path, code, reason), expected) in logged.iter().zip(expected) {
        assert_eq!((*status, &**path, &**code), (expected.0, expected.1, expected.2));
        assert!(reason.starts_with(expected.3), "{reason}");
        assert_eq!(reason.is_empty(), expected.3.is_empty(), "{reason}");
    }
}
