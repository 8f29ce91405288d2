//! The user decides what a client may do.

use rmcp::ClientLifecycleMode;
use serde_json::json;

use crate::browser::Browser;
use crate::installation::Installation;
use crate::sdk::{Application, NAME};

#[tokio::test]
async fn an_unticked_scope_is_not_granted_until_the_user_consents_to_it() {
    let server = Installation::new().serve().await;
    let browser = Browser::new();
    let mut application = Application::new(&server.endpoint).await;
    let page = browser.open(&application.log_in().await).await;
    for shown in [&NAME.replace('&', "&amp;"), "todo:read", "todo:write", "localhost:8765"] {
        assert!(page.html.contains(shown), "{shown} in {}", page.html);
    }
    let tokens = application.come_back(&browser.allow(&page, &["todo:read"]).await).await;
    assert_eq!(tokens.scope, "todo:read");

    let reader = server.bearer(&tokens.access);
    assert_eq!(reader.call("list_todos", json!({})).await.structured(), json!({ "todos": [] }));
    let refused = reader.call("create_todo", json!({ "title": "Buy milk" })).await;
    assert_eq!(refused.status, 403);
    let challenge = refused.challenge();
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains("todo:write"), "{challenge}");
    assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp"), "{challenge}");

    let page = browser.open(&application.step_up("todo:write").await).await;
    let both = ["todo:read", "todo:write"];
    let tokens = application.come_back(&browser.allow(&page, &both).await).await;
    assert_eq!(tokens.scope, "todo:read todo:write");
    let client = application.connect(ClientLifecycleMode::Initialize).await;
    client.content("create_todo", json!({ "title": "Buy milk" })).await;
    client.close().await;
}

#[tokio::test]
async fn the_sdk_learns_which_scope_is_missing() {
    let server = Installation::new().serve().await;
    let browser = Browser::new();
    let mut application = Application::new(&server.endpoint).await;
    let page = browser.open(&application.log_in().await).await;
    application.come_back(&browser.allow(&page, &["todo:read"]).await).await;

    let client = application.connect(ClientLifecycleMode::Initialize).await;
    let refused = client.call("create_todo", json!({ "title": "Buy milk" })).await.unwrap_err();
    let challenge = refused.auth_challenge().expect("a challenge");
    assert!(challenge.contains("todo:write"), "{challenge}");
}

#[tokio::test]
async fn an_answered_consent_page_cannot_be_answered_again() {
    let server = Installation::new().serve().await;
    let browser = Browser::new();
    let mut application = Application::new(&server.endpoint).await;
    let page = browser.open(&application.log_in().await).await;
    let callback = browser.allow(&page, &["todo:read"]).await;
    application.come_back(&callback).await;

    let problem = browser.submit(&page, &["todo:read"]).await;
    assert_eq!(problem.status(), 400);
}
