//! What a caller is told when a list holds as much as it may.

use serde_json::json;
use todo_tests::server::TestServer;

#[tokio::test]
async fn a_call_beyond_the_quota_says_what_to_do() {
    let server = TestServer::with([
        ("TODO_QUOTA", "2"),
        ("TODO_QUOTA_MIB", "1"),
        ("TODO_HISTORY_DAYS", "0"),
    ])
    .await;
    let caller = server.owner();
    let id = caller.create("Buy milk").await;
    caller.create("Buy bread").await;
    for arguments in
        [json!({ "title": "One more" }), json!({ "title": "One more", "idempotency_key": "k" })]
    {
        let refused = caller.call("create_todo", arguments).await;
        assert_eq!(refused.failure(), "quota_exceeded");
        let sentence = refused.payload()["error"].as_str().unwrap().to_owned();
        assert!(sentence.contains("at most 2 todos"), "{sentence}");
        assert!(sentence.contains("Delete todos"), "{sentence}");
    }
    caller.call("update_todo", json!({ "todo_id": id, "completed": true })).await.structured();
    caller.call("delete_todo", json!({ "todo_id": id })).await.structured();
    caller.create("One more").await;
}

#[tokio::test]
async fn texts_beyond_the_quota_are_refused_and_may_shrink() {
    let server = TestServer::with([
        ("TODO_QUOTA_MIB", "1"),
        ("TODO_HISTORY_DAYS", "0"),
        ("TODO_RATE_LIMIT", "off"),
    ])
    .await;
    let caller = server.owner();
    let long = "x".repeat(16_000);
    let create = json!({ "title": "long", "description": long });
    let mut ids = Vec::new();
    let refused = loop {
        let answer = caller.call("create_todo", create.clone()).await;
        if answer.result()["isError"] == true {
            break answer;
        }
        ids.push(answer.structured()["todo"]["id"].as_str().unwrap().to_owned());
    };
    assert_eq!(ids.len(), 1024 * 1024 / 16_004);
    assert_eq!(refused.failure(), "quota_exceeded");
    let sentence = refused.payload()["error"].as_str().unwrap().to_owned();
    assert!(sentence.contains("at most 1 MiB"), "{sentence}");

    let change = |description: &str| json!({ "todo_id": ids[0], "description": description });
    caller.call("update_todo", change("short")).await.structured();
    caller.call("create_todo", create).await.structured();
    assert_eq!(caller.call("update_todo", change(&long)).await.failure(), "quota_exceeded");
}

#[tokio::test]
async fn a_todo_counts_as_long_as_it_can_be_restored() {
    let server = TestServer::with([("TODO_QUOTA", "2")]).await;
    let caller = server.owner();
    let id = caller.create("Buy milk").await;
    caller.create("Buy bread").await;
    caller.call("delete_todo", json!({ "todo_id": id })).await.structured();
    let refused = caller.call("create_todo", json!({ "title": "One more" })).await;
    assert_eq!(refused.failure(), "quota_exceeded");
    let sentence = refused.payload()["error"].as_str().unwrap().to_owned();
    assert!(sentence.contains("deleted ones count as long as they are remembered"), "{sentence}");
    // So that this never fails for want of room.
    let changes = caller.call("list_changes", json!({ "limit": 1 })).await.structured();
    let undo = json!({ "change_id": changes["changes"][0]["id"] });
    caller.call("undo_change", undo).await.structured();
    assert_eq!(caller.titles().await, ["Buy milk", "Buy bread"]);
}
