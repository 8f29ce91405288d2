//! Many callers of ordinary habits, who come all at once.

use serde_json::json;
use todo_tests::client::Client;
use tokio::task::JoinSet;

use crate::installation::Installation;

/// With a token each that the server has not seen, a connection each, and a durable change each.
const CALLERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_at_once_are_all_served() {
    let server = Installation::new().serve().await;
    let client = Client::new(format!("http://{}/mcp", server.address), None);
    let mut callers = Vec::new();
    for number in 0..CALLERS {
        let request = json!({ "subject": format!("usr_{number}") });
        callers.push(client.bearing(server.token_for(&request).await));
    }
    let mut calls = JoinSet::new();
    for caller in callers {
        calls.spawn(async move {
            caller.create("Buy milk").await;
            caller.titles().await
        });
    }
    let lists = calls.join_all().await;
    assert_eq!(lists.len(), CALLERS);
    assert!(lists.iter().all(|titles| titles == &["Buy milk"]), "everyone has a list of their own");
}
