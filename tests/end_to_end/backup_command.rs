//! `todo-mcp backup`

use std::collections::BTreeSet;

use serde_json::json;

use crate::installation::Installation;
use crate::moving::{files, ids};

#[tokio::test]
async fn a_backup_of_a_database_in_use_has_every_earlier_acknowledged_write() {
    let installation = Installation::new();
    let server = installation.serve().await;
    let caller = server.caller().await;
    let mut before = BTreeSet::new();
    for number in 0..20 {
        before.insert(caller.create(&format!("Todo {number}")).await);
    }
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let caller = caller.clone();
            tokio::spawn(async move {
                loop {
                    caller.create("In between").await;
                }
            })
        })
        .collect();
    for name in ["one.db", "two.db", "three.db"] {
        let before_this = caller.create("Just before").await;
        before.insert(before_this);
        let said = installation.run(&["backup", name]).await.with_code(0);
        assert_eq!(said.stdout, "");
        assert_eq!(said.stderr, format!("Backed up todos.db to {name}.\n"));
        let copy = Installation::new();
        std::fs::copy(installation.path(name), copy.path("todos.db")).unwrap();
        let (count, ids) = ids(&copy.run(&["export"]).await.with_code(0).stdout);
        assert_eq!(count, json!(ids.len()));
        assert!(ids.is_superset(&before));
        // A backup must be servable.
        let restored = copy.serve().await;
        restored.caller().await.create("And on it goes").await;
    }
    assert!(writers.iter().all(|writer| !writer.is_finished()), "the server goes on");
    for writer in writers {
        writer.abort();
    }
    let left: Vec<String> =
        files(&installation).into_iter().filter(|name| name.contains("partial")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn an_existing_backup_is_replaced_only_with_force() {
    let installation = Installation::new();
    installation.run(&["migrate"]).await.with_code(0);
    installation.run(&["backup", "copy.db"]).await.with_code(0);
    installation.run(&["backup", "copy.db"]).await.with_code(64);
    installation.run(&["backup", "--force", "copy.db"]).await.with_code(0);
    assert_eq!(files(&installation), ["copy.db", "todos.db", "todos.db.lock"]);
}

#[tokio::test]
async fn a_damaged_database_is_not_backed_up() {
    let installation = Installation::new();
    let lines = crate::moving::text(&crate::moving::lines(500));
    installation.run_reading(&["import"], &lines).await.with_code(0);
    let mut bytes = std::fs::read(installation.path("todos.db")).unwrap();
    let last_page = bytes.len() - 4096;
    bytes[last_page..].fill(0xff);
    std::fs::write(installation.path("todos.db"), bytes).unwrap();

    let said = installation.run(&["backup", "copy.db"]).await.with_code(1);
    assert!(said.stderr.contains("the database may be damaged"), "{}", said.stderr);
    assert_eq!(files(&installation), ["todos.db", "todos.db.lock"]);
}
