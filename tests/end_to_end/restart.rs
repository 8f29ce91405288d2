//! What survives a restart of the program.
#![cfg(unix)]

use rmcp::ClientLifecycleMode;
use serde_json::json;
use todo_tests::client::Client;
use url::form_urlencoded;

use crate::browser::Browser;
use crate::installation::Installation;
use crate::sdk::{Application, Tokens};
use crate::server::Server;

#[tokio::test]
async fn todos_and_logins_survive_a_restart() {
    let installation = Installation::new().with("EMULATOR_AUTO_CONSENT", "true");
    let server = installation.serve().await;
    let mut application = Application::new(&server.endpoint).await;
    let callback = Browser::new().pass(&application.log_in().await).await;
    let yesterday = application.come_back(&callback).await;
    let id = server.bearer(&yesterday.access).create("Buy milk").await;

    let (port, emulator_port) = (server.port(), server.emulator_port());
    server.stop().await;
    let installation = installation.with("PORT", port).with("EMULATOR_PORT", emulator_port);
    let server = installation.serve().await;

    let today = application.refresh().await;
    assert_ne!(today.access, yesterday.access);
    assert_ne!(today.refresh, yesterday.refresh);
    for access in [&yesterday.access, &today.access] {
        let read = server.bearer(access).call("get_todo", json!({ "todo_id": id })).await;
        assert_eq!(read.structured()["todo"]["title"], "Buy milk");
    }
    assert_eq!(refresh(&server, &yesterday).await, (400, json!("invalid_grant")));

    let client = application.connect(ClientLifecycleMode::Initialize).await;
    let listed = client.content("list_todos", json!({})).await;
    assert_eq!(listed["todos"][0]["id"], json!(id));
    client.close().await;
}

#[tokio::test]
async fn todos_in_memory_do_not_survive_a_restart() {
    let installation = Installation::new().with("DATABASE_URL", "memory:");
    let server = installation.serve().await;
    server.caller().await.create("Buy milk").await;
    server.stop().await;

    let server = installation.serve().await;
    let listed = server.caller().await.call("list_todos", json!({})).await;
    assert_eq!(listed.structured(), json!({ "todos": [] }));
    server.stop().await;
    let mut left = std::fs::read_dir(installation.path("")).unwrap();
    assert!(left.next().is_none(), "no file was left behind");
}

/// Uses a refresh token: the status, and the error.
async fn refresh(server: &Server, tokens: &Tokens) -> (u16, serde_json::Value) {
    let client = Client::new(format!("{}/oauth/token", server.issuer), None);
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &tokens.client_id)
        .append_pair("refresh_token", tokens.refresh.as_deref().unwrap())
        .finish();
    let mut headers = client.headers();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let answer = client.send(headers, form).await;
    (answer.status, answer.json()["error"].clone())
}
