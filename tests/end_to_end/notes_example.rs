//! The example of the engine, `adapters/protected-mcp/examples/notes.rs`: a server of its reader's own
//! tools.

use protected_mcp::{Clock as _, SystemClock};
use rmcp::ClientLifecycleMode;
use scalekit_emulator::{EmulatorOptions, ScalekitEmulator};
use serde_json::json;
use todo_tests::client::Client;
use todo_tests::example;
use todo_tests::issuer::RESOURCE_ID;
use tokio::process::Child;

use crate::browser::Browser;
use crate::sdk::Application;

/// A running example, which ends with this.
struct Notes {
    url: String,
    _process: Child,
}

/// Starts an emulated Scalekit, and the example with it.
async fn start() -> Notes {
    let url = example::free_url();
    let options = EmulatorOptions::new(&url, || SystemClock.now())
        .resource_id(RESOURCE_ID)
        .scope("notes:read", "See your notes")
        .scope("notes:write", "Add notes");
    let emulator = ScalekitEmulator::bind(options).await.unwrap();
    let environment = emulator.environment_url();
    tokio::spawn(emulator.serve(std::future::pending()));
    let program = env!("CARGO_BIN_EXE_notes-under-test");
    let process = example::start(program, &url, &environment, RESOURCE_ID).await;
    Notes { url, _process: process }
}

#[tokio::test]
async fn a_client_logs_in_calls_a_tool_and_steps_up_for_the_other() {
    let notes = start().await;
    let endpoint = format!("{}/mcp", notes.url);
    let browser = Browser::new();
    let mut application = Application::new(&endpoint).await;
    let page = browser.open(&application.log_in().await).await;
    let tokens = application.come_back(&browser.allow(&page, &["notes:read"]).await).await;
    assert_eq!(tokens.scope, "notes:read");

    let reader = Client::new(endpoint.clone(), Some(tokens.access));
    assert_eq!(reader.call("get_notes", json!({})).await.structured(), json!({ "text": "" }));
    let denied = reader.call("add_note", json!({ "text": "Buy milk" })).await;
    assert_eq!(denied.status, 403);
    assert!(denied.challenge().contains(r#"scope="notes:read notes:write""#), "{denied:?}");

    let page = browser.open(&application.step_up("notes:write").await).await;
    let both = ["notes:read", "notes:write"];
    application.come_back(&browser.allow(&page, &both).await).await;
    let client = application.connect(ClientLifecycleMode::Initialize).await;
    assert_eq!(client.tools().await, ["get_notes", "add_note"]);
    client.content("add_note", json!({ "text": "Buy milk" })).await;
    let found = client.content("get_notes", json!({})).await;
    assert_eq!(found, json!({ "text": "Buy milk\n" }));
    client.close().await;
}
