//! Invalid input gets a documented error with a JSON-RPC body, changes nothing, and the server
//! keeps working.

use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;

/// Asserts that nothing was written, and that the server still works.
async fn unharmed(client: &Client) {
    let todos = client.call("list_todos", json!({})).await.structured();
    assert_eq!(todos["todos"], json!([]));
}

fn request(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#)
}

fn create(arguments: &str) -> String {
    request(&format!(r#"{{"name":"create_todo","arguments":{arguments}}}"#))
}

fn no_id(answer: &Answer) {
    assert!(answer.json().get("id").is_none(), "an unreadable id is omitted: {answer:?}");
}

#[tokio::test]
async fn invalid_json_is_a_parse_error() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for body in [&b""[..], b"hello", b"{\"jsonrpc\":", b"{\"a\":\"\xff\xfe\"}", b"{'a':1}", b"\0"] {
        let answer = owner.post(body.to_vec()).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32700), "{body:?}");
        no_id(&answer);
    }
    unharmed(&owner).await;
}

#[tokio::test]
async fn json_that_is_not_a_request_is_invalid() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for body in [
        "[]",
        "null",
        "5",
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
    ] {
        let answer = owner.post(body).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32600), "{body}");
        no_id(&answer);
    }
    for body in [
        r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":"a"}"#,
        r#"{"jsonrpc":"2.0","id":"a","method":7}"#,
    ] {
        let answer = owner.post(body).await;
        assert_eq!((answer.status, answer.error_code()), (400, -32600), "{body}");
        assert_eq!(answer.json()["id"], "a", "a readable id is returned");
    }
    unharmed(&owner).await;
}

#[tokio::test]
async fn duplicate_keys_are_rejected_where_they_are_ambiguous() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let answer = owner.post(request(r#"{"name":"create_todo","name":"delete_todo"}"#)).await;
    assert_eq!((answer.status, answer.error_code()), (400, -32602));
    let answer = owner.post(create(r#"{"title":"one","title":"two"}"#)).await;
    assert_eq!(answer.failure(), "invalid_argument");
    assert_eq!(answer.payload()["argument"], "title");
    unharmed(&owner).await;
}

#[tokio::test]
async fn deep_nesting_does_no_harm() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    let deeper = r#"{"a":"#.repeat(100_000) + "1" + &"}".repeat(100_000);
    for deep in [deep.as_str(), deeper.as_str()] {
        let answer = owner.post(create(&format!(r#"{{"title":{deep}}}"#))).await;
        assert_eq!(answer.failure(), "invalid_argument");
        let answer = owner.post(request(deep)).await;
        assert!([-32600, -32602].contains(&answer.error_code()), "{answer:?}");
        let alone = owner.post(deep.to_owned()).await;
        assert!(alone.text.contains("-32600"), "{alone:?}");
    }
    unharmed(&owner).await;
}

#[tokio::test]
async fn a_body_has_at_most_one_mebibyte() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let padded = |size: usize| {
        let body = create(r#"{"title":"x"}"#);
        let padding = " ".repeat(size - body.len());
        body + &padding
    };
    let answer = owner.post(padded(1024 * 1024 + 1)).await;
    assert_eq!((answer.status, answer.error_code()), (413, -32600));
    unharmed(&owner).await;
    assert_eq!(owner.post(padded(1024 * 1024)).await.status, 200);
}

#[tokio::test]
async fn headers_have_at_most_8_kibibytes() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let mut headers = owner.headers();
    headers.insert("x-long", "x".repeat(8 * 1024).parse().unwrap());
    let answer = owner.send(headers, create(r#"{"title":"x"}"#)).await;
    assert_eq!(answer.status, 431);
    unharmed(&owner).await;
}

#[tokio::test]
async fn media_types_follow_the_protocol() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let send = async |name: &'static str, value: Option<&str>| {
        let mut headers: HeaderMap = owner.headers();
        headers.remove(name);
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        owner.send(headers, create(r#"{"title":"x"}"#)).await
    };
    for wrong in [None, Some("text/plain"), Some("application/x-www-form-urlencoded")] {
        let answer = send("content-type", wrong).await;
        assert_eq!((answer.status, answer.error_code()), (415, -32600), "{wrong:?}");
    }
    let answer = send("accept", Some("text/html")).await;
    assert_eq!((answer.status, answer.error_code()), (406, -32600));
    unharmed(&owner).await;
    assert_eq!(send("accept", Some("application/json")).await.status, 200);
}

#[tokio::test]
async fn every_invalid_argument_is_named() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let long = "x".repeat(10_000);
    let huge = "x".repeat(16 * 1024 + 1);
    for (tool, arguments, argument, rule) in [
        ("create_todo", json!({}), "title", "it is required"),
        ("create_todo", json!({ "title": 5 }), "title", "must be a string"),
        ("create_todo", json!({ "title": null }), "title", "must be a string"),
        ("create_todo", json!({ "title": "x", "colour": "red" }), "colour", "no such argument"),
        ("create_todo", json!({ "title": "" }), "title", "must not be empty"),
        ("create_todo", json!({ "title": " \t " }), "title", "must not be empty"),
        ("create_todo", json!({ "title": long }), "title", "at most 500 characters, has 10000"),
        ("create_todo", json!({ "title": "a\u{7}b" }), "title", "control characters"),
        ("create_todo", json!({ "title": "a\nb" }), "title", "one line"),
        ("create_todo", json!({ "title": "\u{200b}" }), "title", "a visible character"),
        ("create_todo", json!({ "title": "a\u{202e}b" }), "title", "direction overrides"),
        ("create_todo", json!({ "title": "x", "description": huge }), "description", "16384 bytes"),
        (
            "create_todo",
            json!({ "title": "x", "description": "\u{1b}[2J" }),
            "description",
            "control",
        ),
        ("list_todos", json!({ "completed": "yes" }), "completed", "must be a boolean"),
        ("list_todos", json!({ "limit": 0 }), "limit", "from 1 to 200"),
        ("list_todos", json!({ "limit": 201 }), "limit", "from 1 to 200"),
        ("list_todos", json!({ "limit": 1.5 }), "limit", "a whole number"),
        ("list_todos", json!({ "cursor": "nonsense" }), "cursor", "next_cursor"),
        ("list_todos", json!({ "cursor": "" }), "cursor", "next_cursor"),
        ("get_todo", json!({}), "todo_id", "it is required"),
        ("get_todo", json!({ "todo_id": ["x"] }), "todo_id", "must be a string"),
        ("update_todo", json!({ "title": "x" }), "todo_id", "it is required"),
        (
            "update_todo",
            json!({ "todo_id": "x", "expected_version": 0 }),
            "expected_version",
            "at least 1",
        ),
        ("delete_todo", json!({ "todo_id": "x", "force": true }), "force", "no such argument"),
    ] {
        let answer = owner.call(tool, arguments).await;
        assert_eq!(answer.failure(), "invalid_argument", "{tool} {argument}");
        let payload = answer.payload();
        assert_eq!(payload["argument"], argument, "{payload}");
        let sentence = payload["error"].as_str().unwrap();
        assert!(sentence.contains(rule) && sentence.ends_with('.'), "{sentence}");
        assert!(sentence.len() < 300, "{sentence}");
    }
    unharmed(&owner).await;
}

#[tokio::test]
async fn an_id_that_is_not_a_uuid_is_not_found_and_echoed_shortened() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let not_found = async |id: &str| {
        let answer = owner.call("get_todo", json!({ "todo_id": id })).await;
        assert_eq!(answer.failure(), "not_found");
        answer.payload()["error"].as_str().unwrap().to_owned()
    };
    assert!(not_found("not-a-uuid").await.starts_with("Todo `not-a-uuid` not found. "));
    assert!(not_found("").await.starts_with("Todo `` not found. "));
    let echoed = not_found(&"é".repeat(100_000)).await;
    assert!(echoed.starts_with(&format!("Todo `{}` not found. ", "é".repeat(64))));
    assert!(!not_found("\u{1b}[31m").await.contains('\u{1b}'));
}

#[tokio::test]
async fn a_cursor_is_valid_only_for_its_own_list() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for title in ["one", "two", "three"] {
        owner.create(title).await;
    }
    let first = owner.call("list_todos", json!({ "limit": 2 })).await.structured();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = owner.call("list_todos", json!({ "limit": 2, "cursor": cursor })).await.structured();
    assert_eq!(rest["todos"].as_array().unwrap().len(), 1);
    assert_eq!(rest["todos"][0]["title"], "three");
    assert!(rest.get("next_cursor").is_none());

    let stranger = server.caller("usr_stranger", "todo:read");
    for (client, arguments) in [
        (&owner, json!({ "cursor": cursor, "completed": true })),
        (&stranger, json!({ "cursor": cursor })),
        (&owner, json!({ "cursor": format!("{cursor}AAAA") })),
        (&owner, json!({ "cursor": cursor.to_uppercase() })),
    ] {
        let answer = client.call("list_todos", arguments.clone()).await;
        assert_eq!(answer.failure(), "invalid_argument", "{arguments}");
        assert_eq!(answer.payload()["argument"], "cursor");
    }
}

#[tokio::test]
async fn a_malformed_call_is_a_protocol_error() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for params in [
        json!({}),
        json!({ "name": 5 }),
        json!({ "name": "no_such_tool" }),
        json!({ "name": "create_todo", "arguments": ["x"] }),
        json!({ "name": "create_todo", "arguments": "x" }),
    ] {
        let answer = owner.legacy("tools/call", params.clone()).await;
        assert_eq!((answer.status, answer.error_code()), (200, -32602), "{params}");
    }
    let answer = owner.legacy("tools/list", json!({ "cursor": "x" })).await;
    assert_eq!(answer.error_code(), -32602);
    unharmed(&owner).await;
}

#[tokio::test]
async fn positional_parameters_are_rejected() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let answer = owner.post(request(r#"[null,"create_todo",{"title":"x"}]"#)).await;
    assert_eq!(answer.error_code(), -32602);
    let answer = owner.post(create(r#"["x"]"#)).await;
    assert_eq!(answer.error_code(), -32602);
    unharmed(&owner).await;
}

#[tokio::test]
async fn absent_and_null_arguments_mean_none() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for params in [
        json!({ "name": "list_todos" }),
        json!({ "name": "list_todos", "arguments": null }),
        json!({ "name": "list_todos", "arguments": { "completed": null, "limit": null } }),
    ] {
        let answer = owner.post(request(&params.to_string())).await;
        assert_eq!(answer.result()["isError"], false, "{answer:?}");
    }
    let none: Value = owner.call("get_todo", json!({ "todo_id": null })).await.payload();
    assert_eq!(none["argument"], "todo_id");
}
