//! Many clients that change the same todo concurrently.

use serde_json::json;
use tokio::task::JoinSet;

use crate::installation::Installation;

#[tokio::test]
async fn many_clients_can_change_one_todo_concurrently() {
    let server = Installation::new().serve().await;
    let caller = server.caller().await;
    let id = caller.create("Buy milk").await;
    let mut writers = JoinSet::new();
    for number in 0..60 {
        let (caller, id) = (caller.clone(), id.clone());
        writers.spawn(async move {
            let arguments = json!({ "todo_id": id, "title": format!("Buy {number} litres") });
            caller.call("update_todo", arguments).await
        });
    }
    for answer in writers.join_all().await {
        assert_eq!(answer.result()["isError"], false, "{answer:?}");
    }
    let todo = caller.call("get_todo", json!({ "todo_id": id })).await.structured();
    assert_eq!(todo["todo"]["version"], 61, "each change is one version");
}
