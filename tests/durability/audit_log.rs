//! The audit log: one record of each operation, with what it has shown and changed and nothing of what that says.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use todo_tests::client::{Answer, Client};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::program::{Place, Program};

pub(crate) const FILE: &str = "audit.jsonl";

/// A place with an audit log.
pub(crate) async fn audited() -> Place {
    Place::new().await.with("TODO_AUDIT_LOG", FILE).with("RUST_LOG", "warn,todo_mcp=info")
}

/// The records of a file, each of which is a whole line.
pub(crate) fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// Stops the program, and returns all records.
async fn stopped(place: &Place, program: Program) -> Vec<Value> {
    program.stop().await;
    read(&place.installation.path(FILE))
}

/// Sends a request with this id.
pub(crate) async fn send(caller: &Client, id: &Value, method: &str, params: Value) -> Answer {
    let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    caller.post(message.to_string()).await
}

pub(crate) async fn call(caller: &Client, id: &str, tool: &str, arguments: Value) -> Answer {
    let params = json!({ "name": tool, "arguments": arguments });
    send(caller, &id.into(), "tools/call", params).await
}

/// The id of a todo in an answer.
fn id_of(answer: &Answer) -> String {
    let todo = answer.structured();
    todo["todo"]["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// What is to be expected of the members that say what happened.
fn expected(outcome: &str, shown: &[&str], changed: &[(&str, Option<u64>, Option<u64>)]) -> Value {
    let changed = changed.iter().map(|(id, before, after)| json!([id, before, after]));
    json!({ "outcome": outcome, "shown": shown, "changed": changed.collect::<Vec<_>>() })
}

/// The same of a record.
fn summary(record: &Value) -> Value {
    let outcome = record["code"].as_str().or(record["outcome"].as_str()).unwrap();
    let none = vec![];
    let changed = record["changed"].as_array().unwrap_or(&none);
    let changed = changed.iter().map(|it| {
        assert!(it["change_id"].is_string(), "{record}");
        json!([it["todo_id"], it["version_before"], it["version_after"]])
    });
    let shown = record["shown"].as_array().unwrap_or(&none);
    json!({ "outcome": outcome, "shown": shown, "changed": changed.collect::<Vec<_>>() })
}

/// The records of operations by the ids of their requests, of which each has one.
fn by_request(records: &[Value]) -> BTreeMap<String, &Value> {
    let mut by_request = BTreeMap::new();
    for record in records.iter().filter(|record| record["event"] == "operation") {
        let id = record["request_id"].as_str().unwrap_or_else(|| panic!("{record}"));
        assert!(by_request.insert(id.to_owned(), record).is_none(), "two of {id}: {records:#?}");
    }
    by_request
}

/// Calls each tool without its scope, with wrong arguments, and about what does not exist.
async fn expect_failures(
    place: &Place,
    program: &Program,
    expect: &mut impl FnMut(&str, &str, Value),
) {
    let owner = place.caller(program, "usr_1");
    let [reader, writer] =
        ["todo:read", "todo:write"].map(|scope| place.caller_with(program, "usr_1", scope));
    let missing = json!({ "todo_id": "01900000-0000-7000-8000-000000000000" });
    for (tool, arguments, denied) in [
        ("create_todo", json!({ "title": "x" }), &reader),
        ("list_todos", json!({}), &writer),
        ("get_todo", missing.clone(), &writer),
        ("update_todo", missing.clone(), &reader),
        ("delete_todo", missing.clone(), &reader),
        ("change_todos", json!({ "changes": [{ "action": "create", "title": "x" }] }), &reader),
        ("list_changes", json!({}), &writer),
        ("undo_change", json!({ "change_id": "1-00000000" }), &reader),
    ] {
        let id = format!("denied {tool}");
        call(denied, &id, tool, arguments).await;
        expect(&id, tool, expected("insufficient_scope", &[], &[]));
        let id = format!("invalid {tool}");
        call(&owner, &id, tool, json!({ "no": "such argument" })).await;
        expect(&id, tool, expected("invalid_argument", &[], &[]));
    }
    for (tool, arguments) in [
        ("get_todo", missing.clone()),
        ("update_todo", missing.clone()),
        ("delete_todo", missing),
        ("undo_change", json!({ "change_id": "1-00000000" })),
    ] {
        let id = format!("missing {tool}");
        call(&owner, &id, tool, arguments).await;
        expect(&id, tool, expected("not_found", &[], &[]));
    }
}

/// Takes back what was recorded, by what was recorded of it.
async fn assert_can_be_taken_back(place: &Place, records: &[Value]) {
    // The ids are those of the changes that are remembered.
    let program = place.serve().await;
    let owner = place.caller(&program, "usr_1");
    let remembered = owner.call("list_changes", json!({ "limit": 200 })).await.structured();
    let pairs = |changes: &Value, id: &str| -> Vec<Value> {
        let changes = changes.as_array().into_iter().flatten();
        changes.map(|it| json!([it[id], it["todo_id"]])).collect()
    };
    let mut recorded: Vec<_> =
        records.iter().flat_map(|record| pairs(&record["changed"], "change_id")).collect();
    recorded.reverse();
    assert_eq!(recorded, pairs(&remembered["changes"], "id"));
    let by_request = by_request(records);
    // What was recorded can be taken back by it, last first; what was taken back already stays so.
    for request in ["delete", "update", "create once", "create"] {
        let changed = by_request[request]["changed"].as_array().unwrap();
        for change in changed.iter().rev() {
            let arguments = json!({ "change_id": change["change_id"] });
            let undone = owner.call("undo_change", arguments).await;
            assert!(undone.result()["isError"] != true, "{request} {change} {undone:?}");
        }
    }
    assert_eq!(owner.titles().await, Vec::<String>::new());
}

#[tokio::test]
async fn each_call_of_a_tool_has_one_record_with_what_it_has_shown_and_changed() {
    let place = audited().await;
    let program = place.serve().await;
    let owner = place.caller(&program, "usr_1");
    let mut all = BTreeMap::new();
    let mut expect = |id: &str, tool: &str, expected: Value| {
        all.insert(id.to_owned(), (tool.to_owned(), expected));
    };

    let one = id_of(&call(&owner, "create", "create_todo", json!({ "title": "one" })).await);
    expect("create", "create_todo", expected("ok", &[], &[(&one, None, Some(1))]));
    let keyed = json!({ "title": "two", "idempotency_key": "k" });
    let two = id_of(&call(&owner, "create once", "create_todo", keyed.clone()).await);
    expect("create once", "create_todo", expected("ok", &[], &[(&two, None, Some(1))]));
    call(&owner, "create again", "create_todo", keyed).await;
    expect("create again", "create_todo", expected("ok", &[&two], &[]));
    call(&owner, "get", "get_todo", json!({ "todo_id": one })).await;
    expect("get", "get_todo", expected("ok", &[&one], &[]));
    call(&owner, "list", "list_todos", json!({})).await;
    expect("list", "list_todos", expected("ok", &[&one, &two], &[]));
    let rename = json!({ "todo_id": one, "title": "uno" });
    call(&owner, "update", "update_todo", rename.clone()).await;
    expect("update", "update_todo", expected("ok", &[], &[(&one, Some(1), Some(2))]));
    call(&owner, "update nothing", "update_todo", rename).await;
    expect("update nothing", "update_todo", expected("ok", &[&one], &[]));
    let stale = json!({ "todo_id": one, "title": "x", "expected_version": 1 });
    call(&owner, "update stale", "update_todo", stale.clone()).await;
    expect("update stale", "update_todo", expected("version_conflict", &[&one], &[]));
    call(&owner, "delete stale", "delete_todo", json!({ "todo_id": one, "expected_version": 1 }))
        .await;
    expect("delete stale", "delete_todo", expected("version_conflict", &[&one], &[]));
    call(&owner, "delete", "delete_todo", json!({ "todo_id": two })).await;
    expect("delete", "delete_todo", expected("ok", &[], &[(&two, Some(1), None)]));
    let asked = json!({ "changes": [
        { "action": "create", "title": "three" },
        { "action": "update", "todo_id": one, "completed": true },
        { "action": "delete", "todo_id": two },
        { "action": "delete", "todo_id": one, "expected_version": 1 },
    ] });
    let mut dry = asked.clone();
    dry["dry_run"] = true.into();
    call(&owner, "change dry", "change_todos", dry).await;
    expect("change dry", "change_todos", expected("ok", &[&one], &[]));
    let made = call(&owner, "change", "change_todos", asked).await.structured();
    let three = made["results"][0]["todo"]["id"].as_str().unwrap().to_owned();
    let changed = [(&*three, None, Some(1)), (&*one, Some(2), Some(3))];
    expect("change", "change_todos", expected("ok", &[], &changed));
    call(&owner, "changes", "list_changes", json!({})).await;
    let mut ids = [&*one, &*two, &*three];
    ids.sort_unstable();
    expect("changes", "list_changes", expected("ok", &ids, &[]));
    let batch = json!({ "change_id": made["batch_id"] });
    call(&owner, "undo", "undo_change", batch.clone()).await;
    let undone = [(&*one, Some(3), Some(4)), (&*three, Some(1), None)];
    expect("undo", "undo_change", expected("ok", &[], &undone));
    call(&owner, "undo again", "undo_change", batch).await;
    expect("undo again", "undo_change", expected("ok", &[&one], &[]));

    expect_failures(&place, &program, &mut expect).await;

    let records = stopped(&place, program).await;
    let by_request = by_request(&records);
    assert_eq!(by_request.len(), all.len());
    assert_eq!(records.len(), all.len(), "{records:#?}");
    for (id, (tool, expected)) in &all {
        let record = by_request[id];
        assert_eq!(&summary(record), expected, "{id}");
        let decision = if id.starts_with("denied") { "denied" } else { "allowed" };
        assert_eq!(record["decision"], decision, "{record}");
        let of = ["v", "subject", "method", "tool"].map(|member| record[member].clone());
        assert_eq!(of, [json!(1), json!("usr_1"), json!("tools/call"), json!(tool)]);
        assert!(record["duration_us"].is_u64() && record["at"].is_string(), "{record}");
    }

    assert_can_be_taken_back(&place, &records).await;
}

#[tokio::test]
async fn resources_prompts_batches_and_refusals_are_recorded() {
    let place = audited().await;
    let program = place.serve().await;
    let owner = place.caller(&program, "usr_1");
    let one = id_of(&call(&owner, "create", "create_todo", json!({ "title": "one" })).await);
    for (id, method, params) in [
        ("list", "resources/list", json!({})),
        ("read", "resources/read", json!({ "uri": "todo://todos" })),
        ("read one", "resources/read", json!({ "uri": format!("todo://todos/{one}") })),
        ("read changes", "resources/read", json!({ "uri": "todo://changes" })),
        ("prompt", "prompts/get", json!({ "name": "weekly_review" })),
        (
            "complete",
            "completion/complete",
            json!({
                "ref": { "type": "ref/resource", "uri": "todo://todos/{id}" },
                "argument": { "name": "id", "value": "on" },
            }),
        ),
    ] {
        send(&owner, &id.into(), method, params).await.result();
    }
    send(&owner, &"ping".into(), "ping", json!({})).await;
    send(&owner, &"unknown".into(), "no/such", json!({})).await;
    let get = json!({ "name": "get_todo", "arguments": { "todo_id": one } });
    let message = |id: &str, method: &str, params: &Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let mut headers = owner.headers();
    headers.insert("mcp-protocol-version", "2025-03-26".parse().unwrap());
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    headers.insert("traceparent", format!("00-{trace}-00f067aa0ba902b7-01").parse().unwrap());
    let batch = [message("batch 1", "tools/call", &get), message("batch 2", "ping", &json!({}))];
    let answer = owner.send(headers.clone(), json!(batch).to_string()).await;
    assert_eq!(answer.json().as_array().unwrap().len(), 2, "{answer:?}");
    let reader = place.caller_with(&program, "usr_2", "todo:read");
    let delete = json!({ "name": "delete_todo", "arguments": { "todo_id": one } });
    headers.insert("authorization", reader.headers()["authorization"].clone());
    let batch = json!([message("batch 3", "tools/call", &delete)]);
    assert_eq!(owner.send(headers, batch.to_string()).await.status, 403);

    let nobody = Client::new(program.endpoint().to_owned(), None);
    assert_eq!(call(&nobody, "nobody", "list_todos", json!({})).await.status, 401);
    let forged = nobody.bearing("not.a.token".to_owned());
    assert_eq!(call(&forged, "forged", "list_todos", json!({})).await.status, 401);
    let mut elsewhere = owner.headers();
    elsewhere.insert("host", "elsewhere.example".parse().unwrap());
    assert_eq!(owner.send(elsewhere, "{}").await.status, 403);

    let records = stopped(&place, program).await;
    let by_request = by_request(&records);
    for id in ["list", "read", "read one", "read changes", "prompt", "complete", "batch 1"] {
        assert_eq!(summary(by_request[id]), expected("ok", &[&one], &[]), "{id}");
    }
    for id in ["ping", "batch 2"] {
        assert_eq!(summary(by_request[id]), expected("ok", &[], &[]), "{id}");
    }
    assert_eq!(by_request["prompt"]["prompt"], "weekly_review");
    assert_eq!(by_request["unknown"]["method"], "unknown");
    assert_eq!(by_request["unknown"]["rpc_error"], -32601);
    assert_eq!(by_request["batch 2"]["trace_id"], trace);
    let refusals = records.iter().filter(|record| record["event"] == "refusal");
    let refusals =
        refusals.map(|it| json!([it["status"], it["subject"], it["code"], it["decision"]]));
    let refusals: Vec<_> = refusals.collect();
    assert_eq!(refusals.len(), 4, "{records:#?}");
    assert_eq!(refusals[0], json!([403, "usr_2", "insufficient_scope", "denied"]));
    for (refusal, status) in refusals[1..].iter().zip([401, 401, 403]) {
        assert_eq!(
            (&refusal[0], &refusal[1], &refusal[3]),
            (&json!(status), &Value::Null, &json!("denied"))
        );
    }
    assert_eq!(records.len(), by_request.len() + refusals.len());
}

/// A client that goes away does not take the record of its change with it.
#[tokio::test]
async fn a_change_whose_client_has_gone_away_is_recorded_with_what_came_of_it() {
    let place = audited().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    let token = caller.headers()["authorization"].to_str().unwrap().to_owned();
    let host = caller.host().replace("localhost", "127.0.0.1");
    for number in 0..20 {
        let title = format!("{number}");
        let params = json!({ "name": "create_todo", "arguments": { "title": title } });
        let body =
            json!({ "jsonrpc": "2.0", "id": title, "method": "tools/call", "params": params });
        let body = body.to_string();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: {token}\r\n\
             Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
             Content-Length: {}\r\n\r\n{body}",
            caller.host(),
            body.len()
        );
        let mut connection = TcpStream::connect(&host).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
    }
    let last = caller.create("last").await;
    // It stops when all changes are made.
    let records = stopped(&place, program).await;
    let program = place.serve().await;
    let everything = crate::program::everything(&place.caller(&program, "usr_1")).await;
    let mut recorded: Vec<&str> = Vec::new();
    for record in records.iter().filter(|record| record["request_id"].is_string()) {
        let id = record["changed"][0]["todo_id"].as_str();
        assert_eq!(record["outcome"], if id.is_some() { "ok" } else { "abandoned" }, "{record}");
        recorded.extend(id);
    }
    recorded.push(&last);
    recorded.sort_unstable();
    assert_eq!(recorded, everything.keys().map(String::as_str).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_of_what_todos_say_and_no_token_is_recorded() {
    const MARKER: &str = "MILKTHATNOBODYKNOWSOF";
    let place = audited().await.with("TODO_AUDIT_STRICT", "true");
    let program = place.serve().await;
    let owner = place.caller(&program, "usr_1");
    let all = json!({ "title": MARKER, "description": MARKER, "labels": [MARKER], "idempotency_key": MARKER });
    let id = id_of(&call(&owner, "1", "create_todo", all).await);
    call(&owner, "2", "update_todo", json!({ "todo_id": id, "title": format!("{MARKER} 2") }))
        .await;
    call(&owner, "3", "list_todos", json!({ "query": MARKER, "label": MARKER })).await;
    call(&owner, "4", "list_todos", json!({ "query": MARKER, MARKER: 1 })).await;
    call(&owner, "5", "get_todo", json!({ "todo_id": MARKER })).await;
    call(&owner, "6", MARKER, json!({})).await;
    let label = format!("todo://labels/{MARKER}");
    send(&owner, &"7".into(), "resources/read", json!({ "uri": label })).await;
    send(&owner, &"8".into(), MARKER, json!({})).await;
    let prompt = json!({ "name": "break_down_goal", "arguments": { "goal": MARKER } });
    send(&owner, &"9".into(), "prompts/get", prompt).await;
    call(&owner, "10", "delete_todo", json!({ "todo_id": id, "expected_version": 1 })).await;
    let argument = json!({ "name": "goal", "value": MARKER });
    let complete =
        json!({ "ref": { "type": "ref/prompt", "name": "break_down_goal" }, "argument": argument });
    send(&owner, &"11".into(), "completion/complete", complete).await;
    let token = owner.headers()["authorization"].to_str().unwrap().to_owned();
    let forged = owner.bearing(format!("{}x", token.trim_start_matches("Bearer ")));
    assert_eq!(call(&forged, "12", "list_todos", json!({})).await.status, 401);
    program.stop().await;
    let log = std::fs::read_to_string(place.installation.path(FILE)).unwrap();
    assert!(log.lines().count() >= 13, "{log}");
    let parts = token.split(['.', ' ']).skip(1).chain([MARKER]);
    for secret in parts {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}

#[tokio::test]
async fn whatever_a_caller_makes_up_is_one_line() {
    let place = audited().await;
    let program = place.serve().await;
    let forged = "usr_1\n{\"v\":1,\"event\":\"operation\",\"subject\":\"admin\"}\u{202e}\u{1b}[2J";
    for subject in [forged, &"x".repeat(4_000)] {
        let caller = place.caller(&program, subject);
        for id in [
            json!("a\n{\"v\":1}"),
            json!("\u{202e}\u{7f}\u{1b}"),
            json!(-1),
            json!(1.5),
            json!("x".repeat(200)),
        ] {
            send(&caller, &id, "ping", json!({})).await;
        }
        caller.post(r#"{"jsonrpc":"2.0","id":"\ud800","method":"ping"}"#).await;
        caller
            .post(format!(r#"{{"jsonrpc":"2.0","id":{},"method":"ping"}}"#, "9".repeat(200)))
            .await;
    }
    program.stop().await;
    let path = place.installation.path(FILE);
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{log}");
    let records = read(&path);
    assert!(records.iter().all(|record| record["subject"] != "admin"), "{log}");
    assert!(log.lines().all(|line| line.len() < 2_000), "{log}");
    assert!(records.len() >= 10, "{log}");
}

#[tokio::test]
async fn on_standard_output_there_are_records_and_nothing_else() {
    let place = audited().await.with("TODO_AUDIT_LOG", "-").with("TODO_AUDIT_STRICT", "true");
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    call(&caller, "1", "create_todo", json!({ "title": "one" })).await.structured();
    program.signal("USR1").await;
    call(&caller, "2", "list_todos", json!({})).await.structured();
    let ended = program.stop().await;
    let records = ended.stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let records: Vec<_> = records.map(|it| json!([it["event"], it["request_id"]])).collect();
    assert_eq!(
        records,
        [json!(["intent", "1"]), json!(["operation", "1"]), json!(["operation", "2"])]
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_or_is_missing_is_an_error_at_the_start() {
    let place = audited().await.with("TODO_AUDIT_LOG", "no/such/audit.jsonl");
    let ended = place.installation.run(&["serve"]).await.with_code(69);
    let sentence = ended.stderr.lines().last().unwrap();
    let words = ["TODO_AUDIT_LOG", "no/such/audit.jsonl", "cannot be opened"];
    assert!(words.iter().all(|word| sentence.contains(word)), "{ended:?}");
    assert!(!place.file().exists());

    let place = Place::new().await.with("TODO_AUDIT_STRICT", "true");
    let ended = place.installation.run(&["check"]).await.with_code(64);
    assert!(ended.stderr.contains("TODO_AUDIT_STRICT needs TODO_AUDIT_LOG"), "{ended:?}");

    // A rotation that is still configured does not end a program without a log.
    let place = Place::new().await;
    let program = place.serve().await;
    program.signal("USR1").await;
    place.caller(&program, "usr_1").create("one").await;
    program.stop().await;
}
