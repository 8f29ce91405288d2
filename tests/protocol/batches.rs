//! Batches: several messages in one body, only in revision 2025-03-26 (R32, R12).

use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

fn ping(id: impl Into<Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": "ping" })
}

fn call(id: i64, tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

async fn send(client: &Client, version: Option<&str>, batch: &Value) -> Answer {
    let mut headers = client.headers();
    if let Some(version) = version {
        headers.insert("mcp-protocol-version", version.parse().unwrap());
    }
    client.exchange(headers, batch).await
}

#[tokio::test]
async fn each_request_of_a_batch_is_answered_in_order_and_notifications_are_not() {
    let server = TestServer::start().await;
    let client = server.owner();
    let batch = json!([
        call(1, "create_todo", &json!({ "title": "one" })),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        ping("a"),
        { "jsonrpc": "2.0", "id": 9, "result": {} },
        call(2, "list_todos", &json!({})),
        call(3, "get_todo", &json!({ "todo_id": "nope" })),
        { "jsonrpc": "2.0", "id": 4, "method": "no/such/method" },
    ]);
    for version in [None, Some("2025-03-26")] {
        let answer = send(&client, version, &batch).await;
        assert_eq!(answer.status, 200);
        let answers = answer.json();
        let ids: Vec<&Value> = answers.as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(ids, [&json!(1), &json!("a"), &json!(2), &json!(3), &json!(4)]);
        assert_eq!(answers[1]["result"], json!({}));
        let listed = &answers[2]["result"]["structuredContent"]["todos"];
        assert_eq!(listed.as_array().unwrap().last().unwrap()["title"], "one", "in order");
        assert_eq!(answers[3]["result"]["isError"], true);
        assert_eq!(answers[4]["error"]["code"], -32601);
    }
}

#[tokio::test]
async fn a_batch_without_requests_is_accepted_without_an_answer() {
    let server = TestServer::start().await;
    let batch = json!([
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        { "jsonrpc": "2.0", "id": 1, "result": {} },
    ]);
    let answer = send(&server.owner(), None, &batch).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, ""));
}

#[tokio::test]
async fn no_other_revision_has_batches() {
    let server = TestServer::start().await;
    for version in ["2025-06-18", "2025-11-25", "2026-07-28"] {
        let answer = send(&server.owner(), Some(version), &json!([ping(1)])).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32600), "{version}");
    }
}

#[tokio::test]
async fn errors_in_a_batch_are_answered_in_their_place() {
    let server = TestServer::start().await;
    let initialize = json!({ "protocolVersion": "2025-03-26", "capabilities": {} });
    let batch = json!([
        5,
        { "jsonrpc": "1.0", "id": 1, "method": "ping" },
        { "jsonrpc": "2.0", "id": 2, "method": "initialize", "params": initialize },
        [ping(3)],
        ping(4),
    ]);
    let answers = server.owner().post(batch.to_string()).await.json();
    let codes: Vec<&Value> =
        answers.as_array().unwrap().iter().map(|answer| &answer["error"]["code"]).collect();
    assert_eq!(
        codes,
        [&json!(-32600), &json!(-32600), &json!(-32600), &json!(-32600), &json!(null)]
    );
    assert!(answers[0].get("id").is_none());
    assert_eq!(answers[4]["result"], json!({}));
}

#[tokio::test]
async fn a_batch_has_at_least_one_message_and_at_most_a_hundred() {
    let server = TestServer::start().await;
    let client = server.owner();
    assert_eq!(send(&client, None, &json!([])).await.status, 400);
    let most: Vec<Value> = (0..100).map(ping).collect();
    assert_eq!(send(&client, None, &json!(most)).await.json().as_array().unwrap().len(), 100);
    let more: Vec<Value> = (0..101).map(ping).collect();
    let answer = send(&client, None, &json!(more)).await;
    assert_eq!((answer.status, answer.error_code()), (413, -32600));
}

#[tokio::test]
async fn a_batch_that_lacks_a_scope_runs_nothing_and_is_one_challenge_for_all_of_it() {
    let server = TestServer::start().await;
    let writer = server.caller("usr_owner", "todo:write");
    let create = |id| call(id, "create_todo", &json!({ "title": "one" }));
    let complete = json!({
        "jsonrpc": "2.0", "id": 9, "method": "completion/complete",
        "params": {
            "ref": { "type": "ref/prompt", "name": "plan_my_day" },
            "argument": { "name": "focus", "value": "" },
        },
    });
    for reading in [call(2, "list_todos", &json!({})), complete] {
        let answer = send(&writer, None, &json!([create(1), reading, ping(3)])).await;
        assert_eq!((answer.status, answer.error_code()), (403, 403));
        let challenge = answer.challenge();
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"todo:read todo:write\""), "{challenge}");
    }
    let list = server.owner().call("list_todos", json!({})).await.structured();
    assert_eq!(list["todos"], json!([]), "nothing was created");
    assert_eq!(send(&server.anonymous(), None, &json!([ping(1)])).await.status, 401);
}

#[tokio::test]
async fn for_clients_without_step_up_each_request_of_a_batch_is_answered_by_itself() {
    let server = TestServer::with([("TODO_SCOPE_DENIAL", "tool_error")]).await;
    let reader = server.caller("usr_reader", "todo:read");
    let batch = json!([call(1, "create_todo", &json!({ "title": "one" })), ping(2)]);
    let answer = send(&reader, None, &batch).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()[0]["result"]["isError"], true);
    assert_eq!(answer.json()[1]["result"], json!({}));
}

#[tokio::test]
async fn a_batch_with_long_answers_is_answered_within_the_size_limit() {
    let server = TestServer::start().await;
    let client = server.owner();
    for _ in 0..50 {
        let arguments = json!({ "title": "long", "description": "x".repeat(16_384) });
        assert_eq!(client.call("create_todo", arguments).await.status, 200);
    }
    let batch: Vec<Value> = (0..100).map(|id| call(id, "list_todos", &json!({}))).collect();
    let answer = send(&client, None, &json!(batch)).await;
    assert!(answer.text.len() < 8 * 1024 * 1024, "{} bytes", answer.text.len());
    let answers = answer.json();
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 100, "each request has its response");
    assert!(answers[0].get("result").is_some());
    assert_eq!(answers[99]["error"]["code"], 429);
}
