//! The contract of the tools.

use serde_json::{Value, json};
use todo_tests::schema;
use todo_tests::server::TestServer;

async fn listed(server: &TestServer) -> Vec<Value> {
    let result = server.owner().legacy("tools/list", json!({})).await.result();
    result["tools"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_success_matches_its_schema_and_its_text() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let tools = listed(&server).await;
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    let calls = [
        ("create_todo", json!({ "title": "three", "description": "with\nlines" })),
        ("update_todo", json!({ "todo_id": one, "completed": true })),
        ("get_todo", json!({ "todo_id": one })),
        ("get_todo", json!({ "todo_id": two })),
        ("list_todos", json!({ "limit": 2 })),
        ("list_todos", json!({ "completed": true })),
        ("delete_todo", json!({ "todo_id": one })),
        (
            "change_todos",
            json!({ "changes": [
                { "action": "create", "title": "four" },
                { "action": "update", "todo_id": two, "completed": true },
                { "action": "delete", "todo_id": two },
                { "action": "delete", "todo_id": two },
            ] }),
        ),
        ("list_changes", json!({})),
        ("list_changes", json!({ "limit": 2, "since": "1970-01-01T00:00:00Z" })),
        ("undo_change", json!({ "change_id": "of the last call" })),
    ];
    for (name, mut arguments) in calls {
        if name == "undo_change" {
            let changes = owner.call("list_changes", json!({})).await.structured();
            arguments["change_id"] = changes["changes"][0]["batch_id"].clone();
        }
        let answer = owner.call(name, arguments).await;
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
        assert_eq!(schema::tool_result(tool, &answer.result()), [""; 0], "{name}");
        assert_eq!(answer.payload(), answer.structured(), "{name}");
        assert_eq!(answer.result()["isError"], false);
    }
}

/// What is listed again is not written anew.
#[tokio::test]
async fn a_list_says_what_is_stored_however_often_it_is_asked_for() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let odd = json!({ "title": "\"a\" \\ b", "description": "\u{2028}\n\t☎", "labels": ["x\"y"] });
    owner.call("create_todo", odd).await.structured();
    let two = owner.create("two").await;
    let list = async || {
        let answer = owner.call("list_todos", json!({})).await;
        assert_eq!(answer.payload(), answer.structured());
        let mut todos = Vec::new();
        for todo in answer.structured()["todos"].as_array().unwrap() {
            let one = owner.call("get_todo", json!({ "todo_id": todo["id"] })).await;
            assert_eq!(one.structured()["todo"], *todo);
            todos.push(todo["title"].clone());
        }
        todos
    };
    for _ in 0..3 {
        assert_eq!(list().await, ["\"a\" \\ b", "two"]);
    }
    let update = json!({ "todo_id": two, "title": "three" });
    owner.call("update_todo", update).await.structured();
    for _ in 0..3 {
        assert_eq!(list().await, ["\"a\" \\ b", "three"]);
    }
    // Another caller has other todos.
    let other = server.caller("usr_other", "todo:read todo:write");
    other.create("four").await;
    for _ in 0..3 {
        assert_eq!(other.titles().await, ["four"]);
        assert_eq!(list().await, ["\"a\" \\ b", "three"]);
    }
}

#[tokio::test]
async fn a_todo_lives_from_create_to_delete() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let arguments = json!({ "title": "  Buy milk ", "description": "two litres" });
    let created = owner.call("create_todo", arguments).await.structured();
    let todo = &created["todo"];
    assert_eq!(todo["title"], "Buy milk");
    assert_eq!(todo["completed"], false);
    assert_eq!(todo["version"], 1);
    assert_eq!(todo["created_at"], todo["updated_at"]);
    assert!(todo.get("completed_at").is_none());
    let id = todo["id"].as_str().unwrap();

    let arguments = json!({ "todo_id": id, "completed": true, "description": "" });
    let updated = owner.call("update_todo", arguments).await.structured();
    assert_eq!(updated["todo"]["description"], Value::Null);
    assert_eq!(updated["todo"]["title"], "Buy milk");
    assert_eq!(updated["todo"]["version"], 2);
    assert_eq!(updated["todo"]["completed_at"], updated["todo"]["updated_at"]);
    let upper = owner.call("get_todo", json!({ "todo_id": id.to_uppercase() })).await;
    assert_eq!(upper.structured(), updated, "ids are case-insensitive");

    let deleted = owner.call("delete_todo", json!({ "todo_id": id })).await.structured();
    assert_eq!(deleted, json!({ "deleted": id }));
    assert_eq!(owner.call("get_todo", json!({ "todo_id": id })).await.failure(), "not_found");
}

#[tokio::test]
async fn a_version_conflict_carries_the_current_todo() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = owner.create("one").await;
    let rename = |title: &str| json!({ "todo_id": id, "title": title, "expected_version": 1 });
    assert_eq!(owner.call("update_todo", rename("two")).await.structured()["todo"]["version"], 2);
    for (tool, arguments) in [
        ("update_todo", rename("three")),
        ("delete_todo", json!({ "todo_id": id, "expected_version": 1 })),
    ] {
        let answer = owner.call(tool, arguments).await;
        assert_eq!(answer.failure(), "version_conflict");
        assert_eq!(answer.payload()["todo"]["title"], "two");
        assert_eq!(answer.payload()["todo"]["version"], 2);
    }
    let arguments = json!({ "todo_id": id, "expected_version": 2 });
    assert_eq!(owner.call("delete_todo", arguments).await.structured(), json!({ "deleted": id }));
}

#[tokio::test]
async fn concurrent_changes_of_different_fields_both_survive() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for _ in 0..20 {
        let id = owner.create("one").await;
        let (title, done) = tokio::join!(
            owner.call("update_todo", json!({ "todo_id": id, "title": "two" })),
            owner.call("update_todo", json!({ "todo_id": id, "completed": true })),
        );
        assert_eq!((title.status, done.status), (200, 200));
        let todo = owner.call("get_todo", json!({ "todo_id": id })).await.structured();
        assert_eq!(todo["todo"]["title"], "two");
        assert_eq!(todo["todo"]["completed"], true);
        assert_eq!(todo["todo"]["version"], 3);
    }
}

#[tokio::test]
async fn a_list_is_paged_in_the_order_of_creation() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let mut expected = Vec::new();
    for number in 0..7 {
        expected.push(owner.create(&format!("number {number}")).await);
    }
    let mut seen = Vec::new();
    let mut arguments = json!({ "limit": 3 });
    loop {
        let page = owner.call("list_todos", arguments.clone()).await.structured();
        let todos = page["todos"].as_array().unwrap();
        seen.extend(todos.iter().map(|todo| todo["id"].as_str().unwrap().to_owned()));
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_integer_may_be_written_with_a_decimal_point() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    let page = owner.call("list_todos", json!({ "limit": 1.0 })).await.structured();
    assert_eq!(page["todos"].as_array().unwrap().len(), 1);
    let arguments = json!({ "todo_id": one, "title": "three", "expected_version": 1.0 });
    assert_eq!(owner.call("update_todo", arguments).await.structured()["todo"]["version"], 2);
    for (id, version) in [(&one, 1.0), (&two, 2.0)] {
        let arguments = json!({ "todo_id": id, "expected_version": version });
        assert_eq!(owner.call("delete_todo", arguments).await.failure(), "version_conflict");
    }
}
