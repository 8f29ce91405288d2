//! The example of the engine passes the suite, too.

use std::process::Command;

use serde_json::json;
use todo_tests::example;
use todo_tests::issuer::{KEY_ID, RESOURCE_ID, TestIssuer, published_key};

/// Runs every other test of this suite in a process of its own, against the example.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_engine_passes_every_rule() {
    let issuer = TestIssuer::start().await;
    let url = example::free_url();
    let program = env!("CARGO_BIN_EXE_notes-under-test");
    let _example = example::start(program, &url, issuer.url(), RESOURCE_ID).await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, published_key().private_pem()).unwrap();
    let operation = |tool: &str, arguments, scope: &str| {
        json!({ "tool": tool, "arguments": arguments, "scope": scope }).to_string()
    };

    let mut suite = Command::new(std::env::current_exe().unwrap());
    suite
        .args(["--skip", "the_example_of_the_engine", "--test-threads", "2"])
        .env("MCP_TARGET_URL", format!("{url}/mcp"))
        .env("MCP_TARGET_ISSUER", issuer.url())
        .env("MCP_TARGET_AUDIENCE", RESOURCE_ID)
        .env("MCP_TARGET_KEY", &key)
        .env("MCP_TARGET_KEY_ID", KEY_ID)
        .env("MCP_TARGET_READ", operation("get_notes", json!({}), "notes:read"))
        .env("MCP_TARGET_WRITE", operation("add_note", json!({ "text": "x" }), "notes:write"));
    let output = tokio::task::spawn_blocking(move || suite.output()).await.unwrap().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    let passed = report.lines().filter(|line| line.ends_with("... ok")).count();
    assert!(passed >= 35, "{passed} rules were checked:\n{report}");
}
