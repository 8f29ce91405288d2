//! `subscriptions/listen` (R78 to R84).

use std::sync::Arc;

use serde_json::{Value, json};
use todo_application::domain::Instant;
use todo_application::ports::Clock as _;
use todo_mcp::SystemClock;
use todo_tests::ManualClock;
use todo_tests::client::Client;
use todo_tests::listener::Listener;
use todo_tests::server::TestServer;

const TODOS: &str = "todo://todos";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn everything() -> Value {
    json!({ "resourcesListChanged": true, "resourceSubscriptions": [TODOS] })
}

/// Listens, and reads the acknowledgement.
async fn listen(client: &Client, notifications: Value) -> Listener {
    let mut listener = Listener::open(client, notifications).await;
    let first = listener.next().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    listener
}

/// The method of a notification, and its URI.
fn notified(message: Option<Value>) -> (String, Option<String>) {
    let message = message.unwrap();
    assert_eq!(message["params"]["_meta"][SUBSCRIPTION], "listening", "{message}");
    let uri = message["params"]["uri"].as_str().map(str::to_owned);
    (message["method"].as_str().unwrap_or_else(|| panic!("{message}")).to_owned(), uri)
}

fn list_changed() -> (String, Option<String>) {
    ("notifications/resources/list_changed".to_owned(), None)
}

fn updated(uri: &str) -> (String, Option<String>) {
    ("notifications/resources/updated".to_owned(), Some(uri.to_owned()))
}

/// Asserts that the stream ends with the response to the request, and nothing after it.
async fn ends(listener: &mut Listener) {
    let last = listener.next().await.unwrap();
    assert_eq!((&last["id"], &last["jsonrpc"]), (&json!("listening"), &json!("2.0")), "{last}");
    assert_eq!(last["result"]["resultType"], "complete");
    assert_eq!(last["result"]["_meta"][SUBSCRIPTION], "listening");
    assert_eq!(listener.next().await, None);
}

#[tokio::test]
async fn the_acknowledgement_comes_first_and_lists_the_notifications() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let one = format!("{TODOS}/{}", owner.create("one").await);
    let everything = json!({
        "toolsListChanged": true,
        "promptsListChanged": true,
        "resourcesListChanged": true,
        "resourceSubscriptions": [TODOS, "test://elsewhere", one, "todo://todos/nope", TODOS],
    });
    let accepted = json!({ "resourcesListChanged": true, "resourceSubscriptions": [TODOS, one] });
    for (wanted, accepted) in [
        (everything, accepted),
        (json!({ "toolsListChanged": true }), json!({})),
        (json!({ "resourcesListChanged": false, "resourceSubscriptions": [] }), json!({})),
        (json!({}), json!({})),
    ] {
        let mut listener = Listener::open(&owner, wanted).await;
        assert!(listener.headers()["content-type"].to_str().unwrap().starts_with("text/event-"));
        assert_eq!(listener.headers()["x-accel-buffering"], "no");
        assert!(listener.headers().get("mcp-session-id").is_none());
        let first = listener.next().await.unwrap();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
        assert_eq!(first["params"]["_meta"][SUBSCRIPTION], "listening");
        assert_eq!(first["params"]["notifications"], accepted);
        assert!(first.get("id").is_none());
    }
}

#[tokio::test]
async fn a_change_through_another_connection_is_notified() {
    let server = TestServer::start().await;
    let (listening, writing) = (server.owner(), server.owner());
    let mut listener = listen(&listening, everything()).await;
    let id = writing.create("one").await;
    assert_eq!(notified(listener.next().await), list_changed());
    assert_eq!(notified(listener.next().await), updated(TODOS));
    for (tool, arguments) in [
        ("update_todo", json!({ "todo_id": id, "title": "two" })),
        ("update_todo", json!({ "todo_id": id, "completed": true })),
        ("delete_todo", json!({ "todo_id": id })),
    ] {
        assert_eq!(writing.call(tool, arguments).await.status, 200);
        assert_eq!(notified(listener.next().await), list_changed());
        assert_eq!(notified(listener.next().await), updated(TODOS));
    }
}

#[tokio::test]
async fn only_requested_notifications_are_sent() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let (one, two) = (owner.create("one").await, owner.create("two").await);
    let of_two = json!({ "resourceSubscriptions": [format!("TODO://todos/{two}")] });
    let mut of_two = listen(&owner, of_two).await;
    let mut of_list = listen(&owner, json!({ "resourcesListChanged": true })).await;
    for id in [&one, &two] {
        let arguments = json!({ "todo_id": id, "title": "changed" });
        assert_eq!(owner.call("update_todo", arguments).await.status, 200);
        assert_eq!(notified(of_list.next().await), list_changed());
    }
    // If the first change had been sent here too, it would come first.
    assert_eq!(notified(of_two.next().await), updated(&format!("TODO://todos/{two}")));
    server.server.end_streams();
    ends(&mut of_two).await;
    ends(&mut of_list).await;
}

#[tokio::test]
async fn calls_that_fail_or_change_nothing_are_not_notified() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = owner.create("one").await;
    let mut listener = listen(&owner, everything()).await;
    for (tool, arguments) in [
        ("update_todo", json!({ "todo_id": id, "title": "one" })),
        ("update_todo", json!({ "todo_id": id, "title": "two", "expected_version": 9 })),
        ("delete_todo", json!({ "todo_id": id, "expected_version": 9 })),
        ("create_todo", json!({ "title": "" })),
        ("get_todo", json!({ "todo_id": id })),
    ] {
        owner.call(tool, arguments).await;
    }
    server.server.end_streams();
    ends(&mut listener).await;
}

#[tokio::test]
async fn changes_in_another_workspace_are_not_notified() {
    let server = TestServer::start().await;
    let (owner, stranger) = (server.owner(), server.caller("usr_stranger", "todo:read todo:write"));
    let id = owner.create("mine").await;
    let theirs = json!({
        "resourcesListChanged": true,
        "resourceSubscriptions": [TODOS, format!("{TODOS}/{id}")],
    });
    let mut listener = listen(&stranger, theirs).await;
    owner.call("update_todo", json!({ "todo_id": id, "completed": true })).await;
    let own = stranger.create("theirs").await;
    assert_eq!(notified(listener.next().await), list_changed());
    assert_eq!(notified(listener.next().await), updated(TODOS));
    stranger.call("delete_todo", json!({ "todo_id": own })).await;
    assert_eq!(notified(listener.next().await), list_changed(), "and none about the other todo");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let server = TestServer::on_clock([], clock.clone()).await;
    let mut claims = server.issuer.claims("usr_owner", Some("org_1"), "todo:read todo:write");
    let now = clock.now().as_unix_seconds();
    claims["exp"] = json!(now + 60);
    let listening = server.bearer(&server.issuer.sign(&claims));
    claims["exp"] = json!(now + 3_600);
    let writing = server.bearer(&server.issuer.sign(&claims));

    let mut listener = listen(&listening, everything()).await;
    writing.create("in time").await;
    assert_eq!(notified(listener.next().await), list_changed());
    assert_eq!(notified(listener.next().await), updated(TODOS));
    clock.set(Instant::from_unix_millis((now + 60) * 1_000).unwrap());
    writing.create("too late").await;
    ends(&mut listener).await;
}

#[tokio::test]
async fn a_stream_ends_with_its_result_when_the_server_stops() {
    let server = TestServer::start().await;
    let mut listener = listen(&server.owner(), everything()).await;
    server.server.end_streams();
    ends(&mut listener).await;
}

#[tokio::test]
async fn a_caller_has_at_most_16_streams_of_its_own() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(listen(&owner, everything()).await);
    }
    let one_more = json!({ "notifications": everything() });
    let refused = owner.modern("subscriptions/listen", one_more.clone()).await;
    assert_eq!((refused.status, refused.error_code()), (429, 429));
    assert!(refused.header("retry-after").is_some());
    listen(&server.caller("usr_other", "todo:read"), everything()).await;

    // A disconnected client frees its place as soon as the server notices.
    drop(open.pop());
    let (headers, body) = owner.modern_parts("subscriptions/listen", one_more);
    let room = async {
        while owner.stream(headers.clone(), body.to_string()).await.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, room).await.unwrap();
    owner.create("the others go on").await;
    for listener in &mut open {
        assert_eq!(notified(listener.next().await), list_changed());
    }
}

#[tokio::test]
async fn listening_needs_the_scope_to_list_and_to_accept_events() {
    let server = TestServer::start().await;
    let writer = server.caller("usr_writer", "todo:write");
    let params = json!({ "notifications": everything() });
    let refused = writer.modern("subscriptions/listen", params.clone()).await;
    assert_eq!(refused.status, 403);
    assert!(refused.challenge().contains("todo:read"));
    let anonymous = server.anonymous().modern("subscriptions/listen", params.clone()).await;
    assert_eq!(anonymous.status, 401);
    let owner = server.owner();
    let (mut headers, body) = owner.modern_parts("subscriptions/listen", params);
    headers.insert("accept", "application/json".parse().unwrap());
    assert_eq!(owner.send(headers, body.to_string()).await.status, 406);
}

#[tokio::test]
async fn the_filter_of_a_subscription_is_required() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let too_many: Vec<String> = (0..1_001).map(|number| format!("todo://{number}")).collect();
    for wanted in [
        Value::Null,
        json!([]),
        json!("all"),
        json!({ "resourcesListChanged": "yes" }),
        json!({ "resourceSubscriptions": "todo://todos" }),
        json!({ "resourceSubscriptions": [5] }),
        json!({ "resourceSubscriptions": too_many }),
    ] {
        let (headers, mut body) = owner.modern_parts("subscriptions/listen", json!({}));
        body["params"]["notifications"] = wanted.clone();
        let answer = owner.send(headers, body.to_string()).await;
        assert_eq!(answer.error_code(), -32602, "{wanted}");
    }
}
