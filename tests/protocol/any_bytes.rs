//! Any bytes get an answer that a client can parse.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use todo_tests::server::TestServer;
use tokio::runtime::Runtime;

/// A server for all cases, and a caller with both scopes.
fn scene() -> &'static (Runtime, Client, TestServer) {
    static SCENE: OnceLock<(Runtime, Client, TestServer)> = OnceLock::new();
    SCENE.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(TestServer::with([("TODO_RATE_LIMIT", "off")]));
        let client = server.owner();
        (runtime, client, server)
    })
}

/// Asserts that a message has either a result or an error, and that an error has a code and a
/// message.
fn is_well_formed(message: &Value) -> bool {
    let error = &message["error"];
    let sentence = error["message"].as_str().is_some_and(|text| !text.is_empty());
    message["jsonrpc"] == "2.0"
        && (message.get("result").is_some() != message.get("error").is_some())
        && (message.get("error").is_none() || (error["code"].is_i64() && sentence))
        && message.get("id").is_none_or(|id| id.is_string() || id.is_number())
}

fn is_readable(answer: &Answer) -> bool {
    if answer.status == 202 {
        return answer.text.is_empty();
    }
    let message = answer.json();
    match message.as_array() {
        Some(messages) => !messages.is_empty() && messages.iter().all(is_well_formed),
        None => is_well_formed(&message),
    }
}

fn holds(modern: bool, body: Vec<u8>) -> Result<(), TestCaseError> {
    let (_, client, _) = scene();
    let headers =
        if modern { client.modern_parts("tools/call", json!({})).0 } else { client.headers() };
    sent(headers, body)
}

fn sent(headers: HeaderMap, body: Vec<u8>) -> Result<(), TestCaseError> {
    let (runtime, client, _) = scene();
    let size = body.len();
    let answer = runtime.block_on(client.send(headers, body));
    prop_assert!(is_readable(&answer), "{answer:?}");
    // Rejected input is not repeated at length.
    prop_assert!(answer.text.len() < 20_000 + 10 * size, "{} bytes", answer.text.len());
    Ok(())
}

/// Any JSON, in which the words of the protocol are frequent.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "2.0",
        "ping",
        "initialize",
        "tools/list",
        "tools/call",
        "resources/read",
        "prompts/get",
        "resources/list",
        "completion/complete",
        "server/discover",
        "notifications/cancelled",
        "list_todos",
        "create_todo",
        "plan_my_day",
        "todo://todos",
        "2026-07-28",
        "2025-03-26",
        "ref/prompt",
        "ref/resource",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop::sample::select(vec![
            "jsonrpc",
            "id",
            "method",
            "params",
            "name",
            "arguments",
            "_meta",
            "uri",
            "cursor",
            "title",
            "todo_id",
            "limit",
            "ref",
            "argument",
            "value",
            "type",
            "result",
            "error",
            "protocolVersion",
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientCapabilities",
            "notifications",
            "goal",
            "x",
        ]);
        let object = prop::collection::vec((name, inner.clone()), 0..6)
            .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect());
        prop_oneof![prop::collection::vec(inner, 0..5).prop_map(Value::Array), object]
    })
}

/// A request that is valid except for its parameters.
fn any_request() -> impl Strategy<Value = Value> {
    let method = prop::sample::select(vec![
        "tools/call",
        "tools/list",
        "resources/read",
        "resources/list",
        "prompts/get",
        "completion/complete",
        "initialize",
        "ping",
        "resources/templates/list",
    ]);
    (method, any_json()).prop_map(
        |(method, params)| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(modern: bool, body in prop::collection::vec(any::<u8>(), 0..2_000)) {
        holds(modern, body)?;
    }

    #[test]
    fn any_json_gets_an_answer(modern: bool, body in any_json()) {
        holds(modern, body.to_string().into_bytes())?;
    }

    #[test]
    fn any_parameters_get_an_answer(modern: bool, body in any_request()) {
        holds(modern, body.to_string().into_bytes())?;
    }

    #[test]
    fn any_parameters_in_a_right_envelope_get_an_answer(body in any_request()) {
        let (_, client, _) = scene();
        let method = body["method"].as_str().unwrap();
        let (mut headers, mut modern) = client.modern_parts(method, json!({}));
        for (name, value) in body["params"].as_object().into_iter().flatten() {
            if name != "_meta" {
                modern["params"][name] = value.clone();
            }
        }
        // It may not be a valid header value.
        let name = if method == "resources/read" { "uri" } else { "name" };
        let name = STANDARD.encode(modern["params"][name].as_str().unwrap_or_default());
        headers.insert("mcp-name", format!("=?base64?{name}?=").parse().unwrap());
        sent(headers, modern.to_string().into_bytes())?;
    }

    #[test]
    fn a_message_that_is_cut_off_gets_an_answer(cut in any::<prop::sample::Index>(), body in any_request()) {
        let mut body = body.to_string().into_bytes();
        body.truncate(cut.index(body.len()));
        holds(false, body)?;
    }
}
