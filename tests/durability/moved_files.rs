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
