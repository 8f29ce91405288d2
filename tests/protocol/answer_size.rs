//! The JSON of a list has at most 64 KiB, whatever is in it, and is not cut short for nothing.

use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::server::TestServer;

const MOST: usize = 64 * 1024;

/// What is kept free for the cursor and the present.
const SPARE: usize = 256;

/// Follows a list to its end, checks each page, and returns how many todos each has.
async fn pages(owner: &Client, count: usize, arguments: Value) -> Vec<usize> {
    let (mut sizes, mut ids, mut before) = (Vec::new(), Vec::new(), None);
    let mut arguments = arguments;
    loop {
        let result = owner.call("list_todos", arguments.clone()).await.result();
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.len() <= MOST, "{} bytes: {arguments}", text.len());
        let page: Value = serde_json::from_str(text).unwrap();
        assert_eq!(page, result["structuredContent"]);
        let todos = page["todos"].as_array().unwrap();
        if let Some(before) = before {
            // Each is on the next page because it had no room.
            let first = todos[0].to_string();
            assert!(before + ",".len() + first.len() > MOST - SPARE, "{before} bytes: {arguments}");
        }
        let is_full =
            arguments.get("limit").map_or(Some(50), Value::as_u64) == Some(todos.len() as u64);
        before = (!is_full).then_some(text.len());
        sizes.push(todos.len());
        ids.extend(todos.iter().map(|todo| todo["id"].clone()));
        match page.get("next_cursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().map(Value::to_string).collect();
    assert_eq!((ids.len(), distinct.len()), (count, count), "each todo once");
    sizes
}

async fn filled(count: usize, todo: Value) -> (TestServer, Client) {
    let server =
        TestServer::with([("TODO_RATE_LIMIT", "off"), ("TODO_TIME_ZONE", "Asia/Tokyo")]).await;
    let owner = server.owner();
    for _ in 0..count {
        owner.call("create_todo", todo.clone()).await.structured();
    }
    (server, owner)
}

#[tokio::test]
async fn todos_with_all_fields_fill_the_answer() {
    let (_server, owner) = filled(
        200,
        json!({
            "title": "Ring the bell",
            "description": "twice",
            "due": "2026-12-24T17:30:15.250",
            "time_zone": "America/Argentina/ComodRivadavia",
            "priority": "normal",
            "labels": (0..20).map(|number| format!("{number}")).collect::<Vec<_>>(),
        }),
    )
    .await;
    let full = pages(&owner, 200, json!({ "limit": 200 })).await;
    assert!(full.len() > 1 && full[0] > 100, "{full:?}");
    assert_eq!(pages(&owner, 200, json!({ "limit": 200, "detail": "short" })).await, [200]);
    assert_eq!(pages(&owner, 200, json!({})).await, [50; 4]);
    pages(&owner, 200, json!({ "limit": 200, "sort": "due" })).await;
}

#[tokio::test]
async fn what_json_escapes_counts_as_it_is_written() {
    // The last has three bytes of text, and six as the escape for clients that read line by line.
    for character in ["\"", "\\", "\t\n\r", "\u{2028}"] {
        let room = 16 * 1024 / character.len();
        let label = |number| format!("{}{number}", "\"".repeat(40));
        let is_one_line = matches!(character, "\"" | "\\");
        let (_server, owner) = filled(
            60,
            json!({
                "title": if is_one_line { character.repeat(500) } else { "\"".repeat(500) },
                "description": character.repeat(room.min(1_500)),
                "labels": (0..20).map(label).collect::<Vec<_>>(),
            }),
        )
        .await;
        let full = pages(&owner, 60, json!({ "limit": 200 })).await;
        assert!(full[0] < 20, "{character:?}: {full:?}");
        let short = pages(&owner, 60, json!({ "detail": "short" })).await;
        assert!(short[0] < 50, "{character:?}: {short:?}");
    }
}

#[tokio::test]
async fn the_longest_todo_fits() {
    let server = TestServer::with([("TODO_TIME_ZONE", "Asia/Tokyo")]).await;
    let owner = server.owner();
    let label = |number| format!("{}{number:02}", "\u{10348}".repeat(48));
    for _ in 0..2 {
        let created = owner.call(
            "create_todo",
            json!({
                "title": "\u{10348}".repeat(500),
                "description": "\"".repeat(16 * 1024),
                "due": "2026-12-24T17:30:15.250",
                "labels": (0..20).map(label).collect::<Vec<_>>(),
            }),
        );
        let created = created.await.structured();
        assert!(created.to_string().len() > 38 * 1024);
    }
    let page = owner.call("list_todos", json!({})).await.structured();
    assert_eq!(page["todos"].as_array().unwrap().len(), 1);
    assert!(page.to_string().len() <= MOST);
}

#[tokio::test]
async fn a_resource_is_no_longer_than_an_answer() {
    let (_server, owner) = filled(
        200,
        json!({
            "title": "\"".repeat(500),
            "description": "\"".repeat(3_000),
            "due": "2026-01-01",
        }),
    )
    .await;
    for uri in ["todo://todos", "todo://today"] {
        let read = owner.modern("resources/read", json!({ "uri": uri })).await.result();
        let text = read["contents"][0]["text"].as_str().unwrap();
        assert!((MOST - 8 * 1024..=MOST).contains(&text.len()), "{uri}: {} bytes", text.len());
    }
}
