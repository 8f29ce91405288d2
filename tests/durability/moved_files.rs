//! Files that are moved, removed or replaced while the program has them open. Writes to them would
//! be lost silently.

use std::fs;

use serde_json::json;

use crate::program::{Place, everything};

#[tokio::test]
async fn writes_to_moved_files_are_never_acknowledged() {
    for name in ["todos.db", "todos.db-wal"] {
        for replaced in [false, true] {
            let place = Place::new().await;
            let program = place.serve().await;
            let caller = place.caller(&program, "usr_1");
            let id = caller.create("Buy milk").await;
            let change = |title: &str| json!({ "todo_id": id, "title": title });
            assert_eq!(program.readiness().await, 200);

            let (file, elsewhere) =
                (place.installation.path(name), place.installation.path("moved"));
            fs::rename(&file, &elsewhere).unwrap();
            if replaced {
                fs::copy(&elsewhere, &file).unwrap();
            }
            for title in ["Buy bread", "Buy oats"] {
                let answer = caller.call("update_todo", change(title)).await;
                assert_eq!(answer.failure(), "unavailable", "{name} {replaced}");
                let sentence = answer.payload()["error"].to_string();
                assert!(sentence.contains("the operator of this server must act"), "{sentence}");
            }
            assert_eq!(program.readiness().await, 503);
            let stored = everything(&caller).await;
            assert_eq!(stored.len(), 1);

            // Moved back, it works as before.
            fs::rename(&elsewhere, &file).unwrap();
            assert_eq!(program.readiness().await, 200);
            let changed = caller.call("update_todo", change("Buy oil")).await.structured();
            program.kill().await;
            let program = place.serve().await;
            let stored = everything(&place.caller(&program, "usr_1")).await;
            assert_eq!(stored[&id], changed["todo"], "{name} {replaced}");
            place.assert_integrity();
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_its_lock_file_a_database_is_still_used_by_one_process() {
    let place = Place::new().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    caller.create("Buy milk").await;
    let lock = place.installation.path("todos.db.lock");
    fs::remove_file(&lock).unwrap();
    for command in ["serve", "migrate"] {
        let refused = place.installation.run(&[command]).await;
        place.assert_refused(&refused, "is in use by another process");
        assert!(!lock.exists());
    }
    caller.create("Buy bread").await;
    program.kill().await;
    let program = place.serve().await;
    assert_eq!(everything(&place.caller(&program, "usr_1")).await.len(), 2);
}

#[tokio::test]
async fn writes_to_a_truncated_log_are_never_acknowledged() {
    for length in [0, 16, 3 * 4096] {
        let place = Place::new().await;
        let program = place.serve().await;
        let caller = place.caller(&program, "usr_1");
        let id = caller.create("Buy milk").await;
        caller.create("Buy bread").await;
        let log = place.installation.path("todos.db-wal");
        let log = fs::OpenOptions::new().write(true).open(log).unwrap();
        log.set_len(length).unwrap();

        for title in ["Buy oats", "Buy oil"] {
            let change = json!({ "todo_id": id, "title": title });
            let answer = caller.call("update_todo", change).await;
            assert_eq!(answer.json()["error"]["code"], -32603, "{length} {answer:?}");
            let created = caller.call("create_todo", json!({ "title": title })).await;
            assert_eq!(created.json()["error"]["code"], -32603, "{length} {created:?}");
        }
        assert_eq!(program.readiness().await, 503);
        let ended = program.stop().await;
        assert!(ended.stderr.contains("truncated by another program"), "{ended:?}");
        assert!(ended.stderr.contains("todo-mcp restore FILE"), "{ended:?}");
        // What is left of the log was not copied to the file.
        place.assert_integrity();
    }
}

/// The same from the outside, and nothing is lost by it.
#[tokio::test]
async fn a_log_that_another_program_has_emptied_by_a_checkpoint_is_complete() {
    let place = Place::new().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    caller.create("Buy milk").await;
    let shell = place.shell();
    shell.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    caller.create("Buy bread").await;
    assert_eq!(program.readiness().await, 200);
    drop(shell);
    program.kill().await;
    let program = place.serve().await;
    assert_eq!(everything(&place.caller(&program, "usr_1")).await.len(), 2);
}
