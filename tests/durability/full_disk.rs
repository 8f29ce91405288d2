//! A full disk, simulated by a limit on the size of files.

use std::collections::BTreeMap;

use rustix::process::{Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use todo_tests::client::Client;

use crate::program::{Place, Program, everything};

/// Makes exceeding the limit an error of the write, instead of a signal that ends the process.
const WITH_ERRORS: [&str; 3] = ["sh", "-c", r#"trap '' XFSZ; exec "$0" "$@""#];

/// Limits the size of each file of the program; `None` lifts the limit.
fn limit(program: &Program, bytes: Option<u64>) {
    prlimit(Some(program.id()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

/// Creates some todos, and returns all that are stored.
async fn some_todos(caller: &Client) -> BTreeMap<String, Value> {
    for number in 0..10 {
        caller.create(&format!("todo {number}")).await;
    }
    everything(caller).await
}

fn long(title: &str) -> Value {
    json!({ "title": title, "description": "milk, ".repeat(1000) })
}

#[tokio::test]
async fn on_a_full_disk_reads_continue_and_writes_resume_when_there_is_space() {
    let place = Place::new().await;
    let mut program = place.serve_through(&WITH_ERRORS).await;
    let mut caller = place.caller(&program, "usr_1");
    let mut stored = some_todos(&caller).await;
    // Room for nothing, and for a part of the write.
    for (number, room) in [0, 100, 3000].into_iter().enumerate() {
        limit(&program, Some(room));
        let id = stored.first_key_value().unwrap().0.clone();
        let other = json!({ "todo_id": id, "title": format!("changed {number}") });
        for (tool, arguments) in [
            ("create_todo", long("too long")),
            ("create_todo", json!({ "title": "short", "idempotency_key": "short" })),
            ("update_todo", other.clone()),
            ("delete_todo", json!({ "todo_id": id })),
        ] {
            let answer = caller.call(tool, arguments).await;
            assert_eq!(answer.failure(), "unavailable", "{tool} {room}");
            assert!(answer.payload()["retry_after_seconds"].is_u64(), "{answer:?}");
            assert_eq!(everything(&caller).await, stored, "{tool} {room}");
        }

        limit(&program, None);
        let changed = caller.call("update_todo", other).await.structured()["todo"].clone();
        stored.insert(id, changed);
        assert_eq!(everything(&caller).await, stored, "{room}");
    }
    assert_eq!(program.readiness().await, 200);

    limit(&program, Some(0));
    assert_eq!(caller.call("create_todo", long("the last")).await.failure(), "unavailable");
    program.kill().await;
    program = place.serve().await;
    caller = place.caller(&program, "usr_1");
    assert_eq!(everything(&caller).await, stored);
    place.assert_integrity();
}

/// By a write of the check: a load balancer sends no others meanwhile.
#[tokio::test]
async fn the_program_is_not_ready_from_a_failed_write_until_there_is_space() {
    let place = Place::new().await;
    let program = place.serve_through(&WITH_ERRORS).await;
    let caller = place.caller(&program, "usr_1");
    let stored = some_todos(&caller).await;
    limit(&program, Some(0));
    assert_eq!(program.readiness().await, 200, "nothing has failed yet");
    assert_eq!(caller.call("create_todo", long("too long")).await.failure(), "unavailable");
    for _ in 0..3 {
        assert_eq!(program.readiness().await, 503);
    }
    assert_eq!(everything(&caller).await, stored);

    limit(&program, None);
    assert_eq!(program.readiness().await, 200);
    assert_eq!(everything(&caller).await, stored);
}

/// A checkpoint moves the log into the database file, and makes room in the log.
#[tokio::test]
async fn a_write_that_does_not_fit_into_the_log_triggers_a_checkpoint() {
    let place = Place::new().await;
    let program = place.serve_through(&WITH_ERRORS).await;
    let caller = place.caller(&program, "usr_1");
    let id = caller.create("Buy milk").await;
    limit(&program, Some(1_000_000));

    let mut refused = 0;
    for number in 0..100 {
        let mut change = long(&format!("Buy {number} litres"));
        change["todo_id"] = id.as_str().into();
        let answer = caller.call("update_todo", change.clone()).await;
        if answer.result()["isError"] == true {
            assert_eq!(answer.failure(), "unavailable");
            refused += 1;
            caller.call("update_todo", change).await.structured();
        }
    }
    assert!((1..10).contains(&refused), "{refused}");
    let stored = everything(&caller).await;
    assert_eq!(stored[&id]["version"], 101);
    program.kill().await;
    let program = place.serve().await;
    assert_eq!(everything(&place.caller(&program, "usr_1")).await, stored);
}

#[tokio::test]
async fn a_start_on_a_full_disk_fails_with_one_sentence_and_loses_nothing() {
    let place = Place::new().await;
    let program = place.serve().await;
    let stored = some_todos(&place.caller(&program, "usr_1")).await;
    program.kill().await;

    let without_room = ["sh", "-c", r#"trap '' XFSZ; ulimit -f 0; exec "$0" "$@""#];
    let refused = place.installation.spawn_through(&without_room, &["serve"]).ended().await;
    place.assert_refused(&refused, "its disk is full");

    let program = place.serve().await;
    assert_eq!(everything(&place.caller(&program, "usr_1")).await, stored);
}
