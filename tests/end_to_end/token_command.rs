//! `todo-mcp token`

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::installation::Installation;

#[tokio::test]
async fn it_prints_a_valid_token_and_nothing_else() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let installation = installation.with("EMULATOR_PORT", server.emulator_port());
    let printed = installation.run(&["token"]).await.with_code(0);
    assert_eq!(printed.stderr, "");
    let token = printed.stdout.strip_suffix('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert!(!token.contains(char::is_whitespace), "{token}");

    let id = server.bearer(token).create("Buy milk").await;
    let read = server.bearer(token).call("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(read.structured()["todo"]["title"], "Buy milk");
}

#[tokio::test]
async fn its_options_set_the_claims_of_the_token() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let installation = installation.with("EMULATOR_PORT", server.emulator_port());
    let arguments = ["token", "--scope", "todo:read", "--subject", "usr_1"];
    let more = ["--organization", "org_1", "--expires-in", "60"];
    let printed = installation.run(&[&arguments[..], &more[..]].concat()).await.with_code(0);

    let token = printed.stdout.trim();
    let claims = claims(token);
    assert_eq!(claims["scope"], "todo:read");
    assert_eq!(claims["sub"], "usr_1");
    assert_eq!(claims["oid"], "org_1");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    let reader = server.bearer(token);
    assert_eq!(reader.call("list_todos", json!({})).await.structured(), json!({ "todos": [] }));
    let refused = reader.call("create_todo", json!({ "title": "Buy milk" })).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_token_can_be_issued_already_expired() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let installation = installation.with("EMULATOR_PORT", server.emulator_port());
    let printed = installation.run(&["token", "--expires-in", "-600"]).await.with_code(0);

    let refused = server.bearer(printed.stdout.trim()).call("list_todos", json!({})).await;
    assert_eq!(refused.status, 401);
    assert!(refused.challenge().contains(r#"error="invalid_token""#), "{refused:?}");
}

#[tokio::test]
async fn without_a_running_server_it_names_the_command_to_start_one() {
    // Reserved, and refuses connections.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();

    let failed = Installation::new().with("EMULATOR_PORT", port).run(&["token"]).await;
    let failed = failed.with_code(69);
    assert_eq!(failed.stdout, "");
    for said in [&port.to_string(), "start `todo-mcp` first", "EMULATOR_PORT"] {
        assert!(failed.stderr.contains(said), "{}", failed.stderr);
    }
}

#[tokio::test]
async fn arguments_that_make_no_valid_token_are_rejected_at_once() {
    let installation = Installation::new();
    for (option, value, said) in [
        ("--scope", "todo:read,todo:write", "separate scopes with spaces"),
        ("--scope", "todo:read todo:delete", "the scopes are todo:read and todo:write"),
        ("--subject", "", "leave it out for the local user"),
        ("--subject", "usr 1", "must not contain spaces"),
        ("--organization", "org\n1", "must not contain spaces"),
        ("--expires-in", "99999999999999", "ten years"),
        ("--expires-in", "1h", "number of seconds"),
    ] {
        let ended = installation.run(&["token", option, value]).await.with_code(64);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains(said), "{said} in {}", ended.stderr);
    }
}

#[tokio::test]
async fn with_scalekit_no_token_can_be_printed() {
    let installation = Installation::new()
        .with("SCALEKIT_ENVIRONMENT_URL", "https://acme.scalekit.com")
        .with("SCALEKIT_RESOURCE_ID", "res_1");
    let failed = installation.run(&["token"]).await.with_code(64);
    assert_eq!(failed.stdout, "");
    assert!(failed.stderr.contains("local identity only"), "{}", failed.stderr);
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
