//! The prompts in `bootstrap/listing.md`: the calls that it tells reviewers to expect are made, in its order.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::server::TestServer;

const LISTING: &str = include_str!("../../bootstrap/listing.md");

/// The calls of each prompt of a section.
fn prompts(heading: &str) -> Vec<Vec<(&'static str, &'static str)>> {
    let (_, section) = LISTING.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```text\n").skip(1);
    let calls = blocks.map(|block| block.split("```").next().unwrap().lines());
    calls.map(|lines| lines.map(|line| line.split_once(' ').unwrap()).collect()).collect()
}

/// The ids of the todos that it tells to prepare, by their titles.
async fn prepare(owner: &Client) -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for todo in [
        json!({ "title": "Buy milk", "due": "2999-01-01", "priority": "high" }),
        json!({ "title": "Pay rent", "due": "2020-01-02" }),
        json!({ "title": "Call the dentist", "due": "2020-01-01", "labels": ["health"] }),
        json!({ "title": "Read the report" }),
    ] {
        let title = todo["title"].as_str().unwrap().to_owned();
        assert!(LISTING.contains(&format!("\"{title}\"")), "{title}");
        let created = owner.call("create_todo", todo).await.structured();
        ids.insert(title, created["todo"]["id"].as_str().unwrap().to_owned());
    }
    let done = json!({ "todo_id": ids["Read the report"], "completed": true });
    owner.call("update_todo", done).await.structured();
    ids
}

/// The arguments with what an assistant puts in the place of `<..>`.
fn completed(text: &str, ids: &BTreeMap<String, String>, last: &Value) -> Value {
    let day = if text.contains("Friday") { "2027-01-01" } else { "2027-01-04" };
    let mut text = text.replace("<the date>", day);
    for (title, id) in ids {
        text = text.replace(&format!("<id of {title}>"), id);
    }
    let batch = last["batch_id"].as_str().unwrap_or_default();
    text = text.replace("<batch_id of the call before>", batch);
    assert!(!text.contains('<'), "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn server() -> TestServer {
    TestServer::with([("TODO_TIME_ZONE", "Europe/Berlin")]).await
}

#[tokio::test]
async fn the_calls_of_prompts_that_work_succeed() {
    let server = server().await;
    let owner = server.owner();
    let ids = prepare(&owner).await;
    let prompts = prompts("Prompts that work");
    assert_eq!(prompts.len(), 5);
    let mut last = Value::Null;
    for (tool, arguments) in prompts.into_iter().flatten() {
        last = owner.call(tool, completed(arguments, &ids, &last)).await.structured();
        match tool {
            "list_todos" => assert!(!last["todos"].as_array().unwrap().is_empty(), "{arguments}"),
            "change_todos" => assert_eq!(last["succeeded"], 2, "{last}"),
            "undo_change" => assert_eq!(last["todos"].as_array().unwrap().len(), 2, "{last}"),
            _ => {}
        }
    }
    assert!(last.get("deleted").is_some(), "the last call is the undoing: {last}");
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let server = server().await;
    let owner = server.owner();
    let ids = prepare(&owner).await;
    let reader = server.caller("usr_owner", "todo:read");
    let prompts = prompts("Prompts that are refused");
    assert_eq!(prompts.len(), 3);
    let before = owner.titles().await;
    for (tool, arguments) in prompts.into_iter().flatten() {
        let answer = reader.call(tool, completed(arguments, &ids, &Value::Null)).await;
        let expected = if tool == "delete_todo" { 403 } else { 200 };
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    assert_eq!(owner.titles().await, before);
}
