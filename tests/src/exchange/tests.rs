use serde_json::json;

use super::*;

const REVISIONS: [&str; 4] = [UNNAMED, "2025-06-18", "2025-11-25", MODERN];

fn json(revision: Option<&str>, request: &Value, status: u16, answer: &Value) -> Complaints {
    let (request, answer) = (request.to_string(), answer.to_string());
    let answer = if answer == "null" { "" } else { &answer };
    judged(revision, &request, status, "application/json", answer)
}

fn judged(
    revision: Option<&str>,
    request: &str,
    status: u16,
    content_type: &str,
    answer: &str,
) -> Complaints {
    Judge::default().complaints(&Exchange {
        revision,
        request: request.as_bytes(),
        status,
        content_type: Some(content_type),
        answer: answer.as_bytes(),
    })
}

fn request(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }}})
}

fn listed(tool: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": {
        "resultType": "complete", "ttlMs": 0, "cacheScope": "public", "tools": [tool],
    }})
}

fn tool() -> Value {
    json!({ "name": "add", "inputSchema": { "type": "object" } })
}

#[track_caller]
fn assert_only(complaints: &Complaints, words: &str) {
    assert!(complaints.len() == 1 && complaints[0].contains(words), "{complaints:#?}");
}

#[test]
fn a_valid_exchange_passes_under_every_revision() {
    for revision in REVISIONS {
        let complaints = json(Some(revision), &request("tools/list"), 200, &listed(&tool()));
        assert_eq!(complaints, [""; 0], "{revision}");
    }
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    assert_eq!(json(None, &request("ping"), 200, &answer), [""; 0]);
}

#[test]
fn a_result_must_match_its_method() {
    for revision in REVISIONS {
        let nameless = json!({ "inputSchema": { "type": "object" } });
        let complaints = json(Some(revision), &request("tools/list"), 200, &listed(&nameless));
        assert_only(&complaints, "\"name\" is a required property");
        let complaints = json(Some(revision), &request("no/such"), 200, &listed(&tool()));
        assert!(complaints[0].contains("has no method \"no/such\""), "{complaints:?}");
    }
    let mut unframed = listed(&tool());
    unframed["result"].as_object_mut().unwrap().remove("cacheScope");
    let complaints = json(Some(MODERN), &request("tools/list"), 200, &unframed);
    assert_only(&complaints, "\"cacheScope\" is a required property");
}

#[test]
fn a_malformed_request_must_not_get_a_result() {
    let mut malformed = request("tools/list");
    malformed["params"]["cursor"] = 5.into();
    for revision in REVISIONS {
        let complaints = json(Some(revision), &malformed, 200, &listed(&tool()));
        assert_only(&complaints, "cursor: 5 is not of type \"string\"");
        let refused = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 1, "message": "" } });
        assert_eq!(json(Some(revision), &malformed, 200, &refused), [""; 0], "{revision}");
    }
}

#[test]
fn an_error_must_be_valid_and_may_lack_its_id_only_with_an_http_error() {
    for revision in REVISIONS {
        let error = |error: Value| json!({ "jsonrpc": "2.0", "error": error });
        let right = error(json!({ "code": -32600, "message": "no" }));
        assert_eq!(json(Some(revision), &request("ping"), 400, &right), [""; 0], "{revision}");
        let complaints = json(Some(revision), &request("ping"), 200, &right);
        assert!(complaints[0].contains("no request for"), "{complaints:?}");
        let wrong = error(json!({ "code": -32600 }));
        let complaints = json(Some(revision), &request("ping"), 400, &wrong);
        assert_only(&complaints, "\"message\" is a required property");
    }
    let vague = json!({ "code": -32022, "message": "no", "data": { "supported": [] } });
    let vague = json!({ "jsonrpc": "2.0", "id": 1, "error": vague });
    let complaints = json(Some("1999-01-01"), &request("ping"), 400, &vague);
    assert_only(&complaints, "\"requested\" is a required property");
}

#[test]
fn each_request_has_exactly_one_response() {
    let mut other = listed(&tool());
    other["id"] = "1".into();
    let complaints = json(None, &request("tools/list"), 200, &other);
    assert!(complaints[0].contains("no request for"), "{complaints:?}");
    assert!(complaints[1].contains("no response to"), "{complaints:?}");
    assert_only(&json(None, &request("ping"), 200, &Value::Null), "no response to");
    assert_eq!(json(None, &request("ping"), 503, &Value::Null), [""; 0], "HTTP says it all");
    let unreadable = judged(None, &request("ping").to_string(), 200, "text/html", "<p>");
    assert_only(&unreadable, "unexpected media type Some(\"text/html\")");
}

#[test]
fn only_the_oldest_revision_has_batches() {
    let two = json!([request("ping"), { "jsonrpc": "2.0", "id": 2, "method": "ping" }]);
    let result = |id: u8| json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    let both = json!([result(2), result(1)]);
    assert_eq!(json(Some(UNNAMED), &two, 200, &both), [""; 0]);
    assert_only(&json(Some(UNNAMED), &two, 200, &json!([result(2)])), "no response to");
    assert_only(&json(Some("2025-06-18"), &two, 200, &both), "has no JSONRPCBatchResponse");
}

#[test]
fn the_negotiated_revision_decides() {
    let mut initialize = request("initialize");
    initialize["params"] = json!({
        "protocolVersion": "1999-01-01",
        "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    });
    // Icons were added in the newest of these revisions.
    let answer = |version: &str| {
        json!({ "jsonrpc": "2.0", "id": 1, "result": {
            "protocolVersion": version,
            "capabilities": {},
            "serverInfo": { "name": "test", "version": "1", "icons": 5 },
        }})
    };
    assert_eq!(json(None, &initialize, 200, &answer("2025-06-18")), [""; 0]);
    let complaints = json(None, &initialize, 200, &answer("2025-11-25"));
    assert_only(&complaints, "icons: 5 is not of type \"array\"");
}

#[test]
fn a_stream_is_notifications_and_then_the_response() {
    let listen = request("subscriptions/listen").to_string();
    let listen = listen.replace("\"params\":{", "\"params\":{\"notifications\":{},");
    let stream = |events: &[Value]| {
        let events = events.iter().map(|event| format!("data: {event}\n\n"));
        let stream = events.collect::<String>() + "data: {\"cut off";
        judged(Some(MODERN), &listen, 200, "text/event-stream", &stream)
    };
    let meta = json!({ "io.modelcontextprotocol/subscriptionId": 1 });
    let acknowledged = json!({
        "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
        "params": { "_meta": meta, "notifications": {} },
    });
    let updated = json!({
        "jsonrpc": "2.0", "method": "notifications/resources/updated",
        "params": { "_meta": meta, "uri": "todo://1" },
    });
    let ended = json!({
        "jsonrpc": "2.0", "id": 1, "result": { "resultType": "complete", "_meta": meta },
    });
    assert_eq!(stream(std::slice::from_ref(&acknowledged)), [""; 0]);
    assert_eq!(stream(&[acknowledged, updated.clone(), ended.clone()]), [""; 0]);
    assert_only(&stream(&[ended, updated.clone()]), "no request for");
    let nowhere = json!({ "jsonrpc": "2.0", "method": updated["method"], "params": {} });
    assert_only(&stream(&[nowhere]), "\"uri\" is a required property");
    assert_only(&stream(&[request("ping")]), "no request for");
}

#[test]
fn an_accepted_notification_must_be_valid() {
    let right = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let wrong = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": 5 });
    assert_eq!(json(Some("2025-11-25"), &right, 202, &Value::Null), [""; 0]);
    assert_only(&json(Some("2025-11-25"), &wrong, 202, &Value::Null), "5 is not of type");
}

#[test]
fn the_output_schema_of_a_listed_tool_is_enforced() {
    let judge = Judge::default();
    let judged = |request: &Value, answer: &Value| {
        let (request, answer) = (request.to_string(), answer.to_string());
        judge.complaints(&Exchange {
            revision: Some(MODERN),
            request: request.as_bytes(),
            status: 200,
            content_type: Some("application/json"),
            answer: answer.as_bytes(),
        })
    };
    let mut tool = tool();
    tool["outputSchema"] = json!({ "type": "object", "required": ["sum"] });
    assert_eq!(judged(&request("tools/list"), &listed(&tool)), [""; 0]);
    let mut call = request("tools/call");
    call["params"]["name"] = "add".into();
    let answer = |more: &Value| {
        let mut result = json!({ "resultType": "complete", "content": [] });
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "jsonrpc": "2.0", "id": 1, "result": result })
    };
    let right = json!({ "structuredContent": { "sum": 2 } });
    assert_eq!(judged(&call, &answer(&right)), [""; 0]);
    assert_eq!(judged(&call, &answer(&json!({ "isError": true }))), [""; 0]);
    assert_only(&judged(&call, &answer(&json!({}))), "is missing");
    let wrong = judged(&call, &answer(&json!({ "structuredContent": {} })));
    assert_only(&wrong, "\"sum\" is a required property");

    tool["inputSchema"]["minimum"] = "high".into();
    assert_only(&judged(&request("tools/list"), &listed(&tool)), "inputSchema of \"add\"");
}
