//! A call that is repeated because its outcome is unknown runs once.

use std::sync::Arc;

use serde_json::{Value, json};
use todo_application::ports::Clock as _;
use todo_mcp::SystemClock;
use todo_tests::ManualClock;
use todo_tests::server::TestServer;

fn with_key(title: &str, key: &str) -> Value {
    json!({ "title": title, "description": "two litres", "idempotency_key": key })
}

#[tokio::test]
async fn a_repeated_call_gets_the_first_answer_even_after_changes() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let first = owner.call("create_todo", with_key("Buy milk", "k")).await.structured();
    assert_eq!(owner.call("create_todo", with_key("Buy milk", "k")).await.structured(), first);
    let id = first["todo"]["id"].clone();
    owner.call("update_todo", json!({ "todo_id": id, "title": "Buy oat milk" })).await;
    assert_eq!(owner.call("create_todo", with_key("Buy milk", "k")).await.structured(), first);
    owner.call("delete_todo", json!({ "todo_id": id })).await;
    assert_eq!(owner.call("create_todo", with_key(" Buy milk ", "k")).await.structured(), first);
    assert!(owner.titles().await.is_empty());
}

#[tokio::test]
async fn reusing_a_key_with_other_arguments_is_a_conflict() {
    let server = TestServer::start().await;
    let owner = server.owner();
    owner.call("create_todo", with_key("Buy milk", "k")).await.structured();
    for other in
        [with_key("Buy bread", "k"), json!({ "title": "Buy milk", "idempotency_key": "k" })]
    {
        let answer = owner.call("create_todo", other).await;
        assert_eq!(answer.failure(), "idempotency_conflict");
        assert_eq!(answer.payload()["argument"], "idempotency_key");
    }
    assert_eq!(owner.titles().await, ["Buy milk"]);
}

#[tokio::test]
async fn keys_are_per_caller_and_calls_without_a_key_all_run() {
    let server = TestServer::start().await;
    let (owner, stranger) = (server.owner(), server.caller("usr_stranger", "todo:read todo:write"));
    for client in [&owner, &stranger] {
        client.call("create_todo", with_key("Buy milk", "k")).await.structured();
        client.call("create_todo", json!({ "title": "again" })).await.structured();
        client.call("create_todo", json!({ "title": "again" })).await.structured();
        assert_eq!(client.titles().await, ["Buy milk", "again", "again"]);
    }
    let server = TestServer::with([("TODO_SHARING", "everyone")]).await;
    let (one, two) = (server.caller("usr_1", "todo:write"), server.caller("usr_2", "todo:write"));
    let [one, two] = [one, two].map(async |client| {
        client.call("create_todo", with_key("Buy milk", "1")).await.structured()["todo"]["id"]
            .clone()
    });
    assert_ne!(one.await, two.await, "the same key of two callers");
}

#[tokio::test]
async fn of_concurrent_calls_with_one_key_one_runs() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let calls = (0..20).map(|_| {
        let owner = owner.clone();
        tokio::spawn(async move {
            owner.call("create_todo", with_key("Buy milk", "k")).await.structured()
        })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        answers.push(call.await.unwrap());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(owner.titles().await, ["Buy milk"]);
}

#[tokio::test]
async fn a_key_is_remembered_for_24_hours() {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let server = TestServer::on_clock([], clock.clone()).await;
    let mut claims = server.issuer.claims("usr_owner", Some("org_1"), "todo:read todo:write");
    claims["exp"] = json!(clock.now().as_unix_seconds() + 3 * 24 * 3_600);
    let owner = server.bearer(&server.issuer.sign(&claims));
    let id = async || {
        owner.call("create_todo", with_key("Buy milk", "k")).await.structured()["todo"]["id"]
            .clone()
    };
    let first = id().await;
    clock.advance(24 * 3_600 * 1_000 - 1).unwrap();
    assert_eq!(id().await, first);
    clock.advance(1).unwrap();
    assert_ne!(id().await, first);
    assert_eq!(owner.titles().await.len(), 2);
}

#[tokio::test]
async fn a_key_is_a_short_printable_text() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for key in [json!(""), json!("x".repeat(256)), json!("a\nb"), json!(5)] {
        let arguments = json!({ "title": "Buy milk", "idempotency_key": key });
        let answer = owner.call("create_todo", arguments).await;
        assert_eq!(answer.failure(), "invalid_argument");
        assert_eq!(answer.payload()["argument"], "idempotency_key");
    }
    assert!(owner.titles().await.is_empty());
}
