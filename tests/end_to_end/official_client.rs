//! The official Rust SDK's client, from nothing but a URL to all five tools.

use rmcp::ClientLifecycleMode;
use rmcp::model::ProtocolVersion;
use serde_json::json;

use crate::browser::Browser;
use crate::installation::Installation;
use crate::sdk::Application;
use crate::server::Server;

#[tokio::test]
async fn a_client_that_knows_only_the_url_finds_everything_else_by_itself() {
    let server = server().await;
    let mut application = Application::new(&server.endpoint).await;
    let callback = Browser::new().pass(&application.log_in().await).await;
    let tokens = application.come_back(&callback).await;

    let resource = server.issuer.rsplit('/').next().unwrap();
    let asked = [
        "GET /.well-known/oauth-protected-resource/mcp".to_owned(),
        format!("GET /.well-known/oauth-authorization-server/resources/{resource}"),
        format!("POST /api/v1/resources/{resource}/clients:register"),
        format!("POST /resources/{resource}/oauth/token"),
    ];
    assert_eq!(application.asked(), asked);
    // The SDK asks for `offline_access` too where the authorization server offers it.
    assert_eq!(tokens.scope, "todo:read todo:write offline_access");
}

#[tokio::test]
async fn a_client_of_the_old_era_uses_all_five_tools() {
    uses_all_five_tools(ClientLifecycleMode::Initialize).await;
}

#[tokio::test]
async fn a_client_of_the_new_era_uses_all_five_tools() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    uses_all_five_tools(ClientLifecycleMode::Discover { preferred_versions }).await;
}

#[tokio::test]
async fn a_client_that_finds_out_which_era_it_is_uses_all_five_tools() {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let legacy_version = Some(ProtocolVersion::V_2025_11_25);
    uses_all_five_tools(ClientLifecycleMode::Auto { preferred_versions, legacy_version }).await;
}

async fn server() -> Server {
    Installation::new().with("EMULATOR_AUTO_CONSENT", "true").serve().await
}

async fn uses_all_five_tools(era: ClientLifecycleMode) {
    let server = server().await;
    let mut application = Application::new(&server.endpoint).await;
    let callback = Browser::new().pass(&application.log_in().await).await;
    application.come_back(&callback).await;
    let client = application.connect(era).await;

    let tools = ["list_todos", "get_todo", "create_todo", "update_todo", "delete_todo"];
    assert_eq!(client.tools().await, tools);

    let milk = json!({ "title": "Buy milk", "description": "Oat" });
    let created = client.content("create_todo", milk).await["todo"].clone();
    assert_eq!(created["title"], "Buy milk");
    assert_eq!(created["completed"], false);
    let id = created["id"].clone();

    let listed = client.content("list_todos", json!({ "completed": false })).await;
    assert_eq!(listed, json!({ "todos": [created] }));
    let read = client.content("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(read, json!({ "todo": created }));

    let changes = json!({ "todo_id": id, "completed": true, "description": "" });
    let updated = client.content("update_todo", changes).await["todo"].clone();
    assert_eq!(updated["title"], "Buy milk");
    assert_eq!(updated["completed"], true);
    assert_eq!(updated["description"], json!(null));

    let deleted = client.content("delete_todo", json!({ "todo_id": id })).await;
    assert_eq!(deleted, json!({ "deleted": id }));
    assert_eq!(client.content("list_todos", json!({})).await, json!({ "todos": [] }));
    let gone = client.call("get_todo", json!({ "todo_id": id })).await.unwrap();
    assert_eq!(gone.is_error, Some(true));
    assert_eq!(gone.structured_content, None);
    client.close().await;
}
