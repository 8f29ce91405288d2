//! Two servers on one machine.

use serde_json::json;

use crate::installation::Installation;

#[tokio::test]
async fn two_servers_with_separate_ports_and_directories_do_not_interfere() {
    let (home, work) = (Installation::new().serve().await, Installation::new().serve().await);
    assert_ne!(home.endpoint, work.endpoint);
    let (at_home, at_work) = (home.caller().await, work.caller().await);
    let id = at_home.create("Buy milk").await;

    assert_eq!(at_work.call("list_todos", json!({})).await.structured(), json!({ "todos": [] }));
    let missing = at_work.call("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(missing.failure(), "not_found");
    let foreign = work.bearer(&home.token().await).call("list_todos", json!({})).await;
    assert_eq!(foreign.status, 401);
}
