//! A write-ahead log beside a file that it does not belong to: SQLite would apply it.

use std::fs;
use std::path::PathBuf;

use todo_tests::client::Client;

use crate::program::{Place, Program, everything};

/// A place with a backup, whose server was killed and has left a log.
async fn killed_after_a_backup(copy: &str) -> (Place, PathBuf) {
    let place = Place::new().await;
    let program = place.serve().await;
    create(&place.caller(&program, "usr_1"), 10).await;
    let backup = place.installation.path(copy);
    if copy == "backup.db" {
        place.installation.run(&["backup", copy]).await.with_code(0);
        create(&place.caller(&program, "usr_1"), 10).await;
        program.kill().await;
    } else {
        // At rest, with the means of the operating system.
        program.stop().await;
        fs::copy(place.file(), &backup).unwrap();
        let program = place.serve().await;
        create(&place.caller(&program, "usr_1"), 10).await;
        program.kill().await;
    }
    (place, backup)
}

async fn create(caller: &Client, number: usize) {
    for number in 0..number {
        caller.create(&format!("todo {number}")).await;
    }
}

async fn todos(place: &Place, program: &Program) -> usize {
    everything(&place.caller(program, "usr_1")).await.len()
}

#[tokio::test]
async fn a_log_beside_a_backup_that_was_copied_over_the_file_is_not_applied() {
    for copy in ["backup.db", "copy.db"] {
        let (place, backup) = killed_after_a_backup(copy).await;
        let log = place.installation.path("todos.db-wal");
        let (file, written) = (fs::read(&backup).unwrap(), fs::read(&log).unwrap());
        fs::copy(&backup, place.file()).unwrap();
        for command in [&["serve"][..], &["migrate"], &["export"], &["backup", "other.db"]] {
            let refused = place.installation.run(command).await;
            place.assert_refused(&refused, "belongs to another file and was not applied");
            assert!(refused.stderr.contains("todo-mcp restore"), "{refused:?}");
            assert_eq!(fs::read(place.file()).unwrap(), file, "{command:?} {copy}");
            assert_eq!(fs::read(&log).unwrap(), written, "{command:?} {copy}");
        }

        fs::remove_file(log).unwrap();
        fs::remove_file(place.installation.path("todos.db-shm")).unwrap();
        let program = place.serve().await;
        assert_eq!(todos(&place, &program).await, 10, "{copy}");
        place.assert_integrity();
    }
}

#[tokio::test]
async fn a_log_whose_file_was_removed_is_not_removed_with_it() {
    let (place, _) = killed_after_a_backup("backup.db").await;
    let log = place.installation.path("todos.db-wal");
    let written = fs::read(&log).unwrap();
    let moved = place.installation.path("moved.db");
    fs::rename(place.file(), &moved).unwrap();
    for replacement in [None, Some(""), Some("not a database")] {
        if let Some(content) = replacement {
            fs::write(place.file(), content).unwrap();
        }
        let refused = place.installation.run(&["serve"]).await;
        place.assert_refused(&refused, "belongs to another file");
        assert_eq!(fs::read(&log).unwrap(), written, "{replacement:?}");
    }
    fs::rename(moved, place.file()).unwrap();
    let program = place.serve().await;
    assert_eq!(todos(&place, &program).await, 20);
}

/// A checkpoint that was interrupted, or made by another program, is no reason to refuse.
#[tokio::test]
async fn a_log_that_was_copied_to_its_file_in_part_or_as_a_whole_is_applied() {
    let (place, _) = killed_after_a_backup("backup.db").await;
    let before = fs::read(place.file()).unwrap();
    let log = fs::read(place.installation.path("todos.db-wal")).unwrap();
    // The shell makes a checkpoint when it closes the file.
    let shell = place.shell();
    shell.query_row("SELECT count(*) FROM todos", [], |row| row.get::<_, i64>(0)).unwrap();
    drop(shell);
    let after = fs::read(place.file()).unwrap();
    assert_ne!(before, after);
    for pages in 0..=after.len() / 4096 {
        let mut file = after[..pages * 4096].to_vec();
        file.extend(before.get(pages * 4096..).unwrap_or_default());
        fs::write(place.file(), file).unwrap();
        fs::write(place.installation.path("todos.db-wal"), &log).unwrap();
        let program = place.serve().await;
        assert_eq!(todos(&place, &program).await, 20, "{pages}");
        program.stop().await;
        place.assert_integrity();
    }
}
