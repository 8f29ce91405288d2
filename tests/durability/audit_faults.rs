//! An audit log that is full, rotated, or cut off with the program.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use todo_tests::client::Client;
use tokio::task::JoinSet;

use crate::audit_log::{FILE, audited, call, read};
use crate::program::{Place, Program, everything};

/// Makes exceeding the limit an error of the write, instead of a signal that ends the process.
const WITH_ERRORS: [&str; 3] = ["sh", "-c", r#"trap '' XFSZ; exec "$0" "$@""#];

/// Limits the size of each file of the program; `None` lifts the limit.
fn limit(program: &Program, bytes: Option<u64>) {
    prlimit(Some(program.id()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// A place whose todos need no disk.
async fn in_memory() -> Place {
    audited().await.with("DATABASE_URL", "memory:")
}

fn path(place: &Place) -> PathBuf {
    place.installation.path(FILE)
}

fn has(records: &[Value], event: &str, id: &str) -> bool {
    records.iter().any(|it| it["event"] == event && it["request_id"] == id)
}

async fn create(caller: &Client, id: &str) -> bool {
    let answer = call(caller, id, "create_todo", json!({ "title": "one" })).await;
    let is_made = answer.result()["isError"] != true;
    if !is_made {
        assert_eq!(answer.failure(), "unavailable");
        assert!(answer.payload()["error"].as_str().unwrap().contains("audit log"), "{answer:?}");
    }
    is_made
}

#[tokio::test]
async fn on_a_full_disk_a_strict_log_refuses_changes_until_there_is_space() {
    let place = in_memory().await.with("TODO_AUDIT_STRICT", "true");
    let program = place.serve_through(&WITH_ERRORS).await;
    let caller = place.caller(&program, "usr_1");
    assert!(create(&caller, "first").await);
    // Room for nothing, and for a part of a record.
    for room in [0, 100] {
        let full = path(&place).metadata().unwrap().len() + room;
        limit(&program, Some(full));
        for number in 0..3 {
            assert!(!create(&caller, &format!("refused {room} {number}")).await);
        }
        let listed = call(&caller, &format!("list {room}"), "list_todos", json!({})).await;
        assert!(listed.structured()["todos"].is_array(), "reads go on");
        limit(&program, None);
        // It recovers by itself.
        let mut number = 0;
        while !create(&caller, &format!("again {room} {number}")).await {
            number += 1;
        }
    }
    program.stop().await;
    let records = read(&path(&place));
    for record in &records {
        let id = record["request_id"].as_str().unwrap();
        match record["changed"][0]["todo_id"].as_str() {
            Some(_) => assert!(has(&records, "intent", id), "{record}"),
            None => assert!(record["event"] == "intent" || id != "first", "{record}"),
        }
    }
    for id in ["first", "refused 0 0", "refused 100 2", "list 0", "list 100"] {
        assert!(has(&records, "operation", id), "{id}: {records:#?}");
    }
    let refused = records.iter().find(|it| it["request_id"] == "refused 0 1").unwrap();
    assert_eq!(
        (&refused["decision"], &refused["code"]),
        (&json!("allowed"), &json!("unavailable"))
    );
}

#[tokio::test]
async fn on_a_full_disk_requests_are_answered_and_their_records_are_written_later() {
    let place = in_memory().await;
    let program = place.serve_through(&WITH_ERRORS).await;
    let caller = place.caller(&program, "usr_1");
    for (round, room) in [0, 1, 100, 300].into_iter().enumerate() {
        let length = path(&place).metadata().map_or(0, |metadata| metadata.len());
        limit(&program, Some(length + room));
        for number in 0..5 {
            assert!(create(&caller, &format!("{round} {number}")).await);
        }
        limit(&program, None);
    }
    program.stop().await;
    let records = read(&path(&place));
    let ids: Vec<_> = records.iter().map(|it| it["request_id"].as_str().unwrap()).collect();
    let expected = (0..4).flat_map(|round| (0..5).map(move |number| format!("{round} {number}")));
    assert_eq!(ids, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn rotation_under_load_loses_nothing() {
    for strict in ["false", "true"] {
        let place = in_memory().await.with("TODO_AUDIT_STRICT", strict);
        let program = place.serve().await;
        let is_over = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for writer in 0..4 {
            let (caller, is_over) = (place.caller(&program, "usr_1"), Arc::clone(&is_over));
            writers.spawn(async move {
                let mut made = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let id = format!("{writer} {}", made.len());
                    assert!(create(&caller, &id).await);
                    made.push(id);
                }
                made
            });
        }
        let caller = place.caller(&program, "usr_2");
        let mut files = vec![path(&place)];
        for rotation in 0..5 {
            let moved = place.installation.path(&format!("{FILE}.{rotation}"));
            std::fs::rename(path(&place), &moved).unwrap();
            files.push(moved);
            program.signal("USR1").await;
            while !path(&place).exists() {
                caller.create("meanwhile").await;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        let made: BTreeSet<String> = writers.join_all().await.into_iter().flatten().collect();
        program.stop().await;
        let records: Vec<Value> = files.iter().flat_map(|file| read(file)).collect();
        let of_writers = records.iter().filter(|it| it["subject"] == "usr_1");
        let operations: Vec<_> = of_writers
            .filter(|it| it["event"] == "operation")
            .map(|it| it["request_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(operations.len(), made.len(), "each once");
        assert_eq!(operations.into_iter().collect::<BTreeSet<_>>(), made);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_anew_is_kept() {
    let place = in_memory().await;
    let mut program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    assert!(create(&caller, "one").await);
    let moved = place.installation.path("moved");
    std::fs::rename(path(&place), &moved).unwrap();
    std::fs::create_dir(path(&place)).unwrap();
    program.signal("USR1").await;
    program.event("the audit log cannot be opened anew: the old file is kept").await;
    assert!(create(&caller, "two").await);
    program.stop().await;
    let records = read(&moved);
    assert!(has(&records, "operation", "one") && has(&records, "operation", "two"));
}

/// "No write without its record", whatever happens to the program.
#[tokio::test]
async fn after_a_kill_a_strict_log_has_a_record_of_each_change() {
    let place = audited().await.with("TODO_AUDIT_STRICT", "true");
    for round in 0..3 {
        let program = place.serve().await;
        let mut writers = JoinSet::new();
        for writer in 0..4 {
            let caller = place.caller(&program, "usr_1");
            writers.spawn(async move {
                for number in 0.. {
                    // The title is also the id of the request.
                    let title = format!("{round} {writer} {number}");
                    let params = json!({ "name": "create_todo", "arguments": { "title": title } });
                    let message = json!({ "jsonrpc": "2.0", "id": title, "method": "tools/call", "params": params });
                    let sent = caller.attempt(reqwest::Method::POST, caller.headers(), message.to_string());
                    if sent.await.is_err() {
                        break;
                    }
                }
            });
        }
        let reader = place.caller(&program, "usr_1");
        while everything(&reader).await.len() < 20 * (round + 1) {}
        program.kill().await;
        writers.join_all().await;
    }
    let program = place.serve().await;
    let stored = everything(&place.caller(&program, "usr_1")).await;
    program.stop().await;
    // A line that was cut by the kill was ended by the next start.
    let log = std::fs::read_to_string(path(&place)).unwrap();
    let records: Vec<Value> = log.lines().filter_map(|it| serde_json::from_str(it).ok()).collect();
    assert!(log.lines().count() - records.len() <= 3, "at most one line of each kill");
    let intents: BTreeSet<_> = records
        .iter()
        .filter(|it| it["event"] == "intent")
        .map(|it| it["request_id"].as_str().unwrap())
        .collect();
    for todo in stored.values() {
        let title = todo["title"].as_str().unwrap();
        assert!(intents.contains(title), "{title} has no record");
    }
    assert!(stored.len() >= 60);
}
