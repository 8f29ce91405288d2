//! Texts that other programs have stumbled over.

use serde_json::{Value, json};
use todo_tests::server::TestServer;

use crate::completions::{prompt, values};

const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];

#[tokio::test]
async fn a_title_and_a_key_are_one_line() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let id = owner.create("one").await;
    for separator in ["\u{2028}", "\u{2029}", "\u{85}", "\n", "\r", "\u{b}", "\u{9b}"] {
        let text = format!("one{separator}two");
        for (tool, arguments, argument) in [
            ("create_todo", json!({ "title": text }), "title"),
            ("create_todo", json!({ "title": "x", "idempotency_key": text }), "idempotency_key"),
            ("update_todo", json!({ "todo_id": id, "title": text }), "title"),
        ] {
            let answer = owner.call(tool, arguments).await;
            assert_eq!(answer.failure(), "invalid_argument", "{text:?}");
            let sentence = format!(
                "Invalid argument `{argument}`: must be one line without control characters."
            );
            assert_eq!(answer.payload()["error"], sentence);
        }
    }
}

/// Escaped in the answer; in the text of a tool result, which is JSON too, the escape is escaped again.
#[tokio::test]
async fn line_separators_are_escaped_in_every_answer() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let description = "one\u{2028}two\u{2029}– “three”";
    let create = json!({ "title": "x", "description": description });
    let created = owner.call("create_todo", create).await;
    let id = created.structured()["todo"]["id"].as_str().unwrap().to_owned();
    let uri = format!("todo://todos/{id}");
    let odd = "\u{2028}".repeat(3);
    let answers = [
        created,
        owner.call("get_todo", json!({ "todo_id": id })).await,
        owner.call("list_todos", json!({})).await,
        owner.call("get_todo", json!({ "todo_id": odd })).await,
        owner.call("list_todos", json!({ odd.as_str(): 1 })).await,
        owner.call("create_todo", json!({ odd.as_str(): 1, "title": 5 })).await,
        owner.legacy(&format!("no/{odd}"), json!({})).await,
        owner.legacy("tools/call", json!({ "name": odd })).await,
        owner.modern("resources/read", json!({ "uri": uri })).await,
        owner.modern("prompts/get", json!({ "name": "plan_my_day" })).await,
        owner.post(json!({ "jsonrpc": "2.0", "id": odd, "method": "ping" }).to_string()).await,
        owner.post(format!("[{}]", json!({ "jsonrpc": "2.0", "id": odd, "method": "ping" }))).await,
    ];
    for answer in &answers {
        assert!(!answer.text.contains(SEPARATORS), "{answer:?}");
        for text in texts(&answer.json()) {
            assert!(!text.starts_with('{') || !text.contains(SEPARATORS), "{text}");
        }
    }
    for answer in &answers[..2] {
        assert_eq!(answer.structured()["todo"]["description"], description);
        assert_eq!(answer.payload(), answer.structured());
        let once = answer.text.matches(r"one\u2028two\u2029–").count();
        let twice = answer.text.matches(r"one\\u2028two\\u2029–").count();
        assert_eq!((once, twice), (1, 1), "{answer:?}");
    }
    assert_eq!(answers[10].json()["id"], odd, "an id is returned");
}

/// Every string in a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_named() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let call = async |method: &str, params: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        owner.post(body).await
    };
    for half in [r"\ud83d", r"\ude00", r"\uD83Dx", r"\ud83d\ud83d"] {
        for (argument, arguments) in [
            ("title", format!(r#"{{"title":"cut {half}"}}"#)),
            ("description", format!(r#"{{"title":"x","description":"cut {half}"}}"#)),
        ] {
            let params = format!(r#"{{"name":"create_todo","arguments":{arguments}}}"#);
            let answer = call("tools/call", &params).await;
            let payload = answer.payload();
            assert_eq!(payload["argument"], argument, "{payload}");
            let sentence = payload["error"].as_str().unwrap();
            assert!(sentence.contains("half a surrogate pair"), "{sentence}");
            assert!(sentence.contains(&half[..6]), "{sentence}");
        }
        let params = format!(r#"{{"name":"plan_my_day","arguments":{{"focus":"cut {half}"}}}}"#);
        let answer = call("prompts/get", &params).await;
        assert_eq!(answer.error_code(), -32602);
        let message = answer.json()["error"]["message"].clone();
        assert!(message.as_str().unwrap().contains("`focus`: it has half a surrogate pair"));
    }
    for (method, params) in [
        ("tools/call", r#"{"name":"\ud83d"}"#),
        ("prompts/get", r#"{"name":"\ud83d"}"#),
        ("resources/read", r#"{"uri":"todo://\ud83d"}"#),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"\ud83d"}}"#),
        (r"no/\ud83d", "{}"),
    ] {
        let message = call(method, params).await.json()["error"]["message"].clone();
        let message = message.as_str().unwrap();
        assert!(message.contains(r"half a surrogate pair, \ud83d: send whole"), "{message}");
    }
    let whole = call(
        "tools/call",
        r#"{"name":"create_todo","arguments":{"title":"\ud83d\ude00 \\ud83d"}}"#,
    );
    assert_eq!(whole.await.structured()["todo"]["title"], "😀 \\ud83d");
}

#[tokio::test]
async fn an_argument_of_a_prompt_is_given_once() {
    let server = TestServer::start().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"plan_my_day",
                   "arguments":{"focus":"a","focus":"b"}}}"#;
    let answer = server.owner().post(body).await;
    assert_eq!(answer.error_code(), -32602);
    let message = &answer.json()["error"]["message"];
    assert_eq!(message, "Invalid argument `focus`: it is given twice.");
}

#[tokio::test]
async fn completion_finds_a_title_in_every_unicode_form_and_case() {
    let server = TestServer::start().await;
    let owner = server.owner();
    for title in ["Café", "한글 공부", "(Call) mum", "Straße fegen", "Ångström"] {
        owner.create(title).await;
    }
    for (typed, title) in [
        ("cafe\u{301}", "Café"),
        ("CAFE", "Café"),
        ("\u{1112}\u{1161}\u{11ab}\u{1100}", "한글 공부"),
        ("공부", "한글 공부"),
        ("call", "(Call) mum"),
        ("mum", "(Call) mum"),
        ("STRASSE", "Straße fegen"),
        ("\u{212b}ng", "Ångström"),
        ("angstrom", "Ångström"),
    ] {
        assert_eq!(
            values(&owner, &prompt("plan_my_day"), "focus", typed).await,
            [title],
            "{typed}"
        );
    }
}
