//! A backup in the place of the database.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::program::{Place, everything};

/// The names of the files whose name begins like this.
fn files(place: &Place, beginning: &str) -> Vec<String> {
    let entries = fs::read_dir(place.directory()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(beginning)).collect();
    names.sort();
    names
}

fn count(file: PathBuf) -> i64 {
    let all = "SELECT count(*) FROM todos";
    Connection::open(file).unwrap().query_row(all, [], |row| row.get(0)).unwrap()
}

/// A place with a backup of one todo and a database of two.
async fn with_a_backup(is_killed: bool) -> Place {
    let place = Place::new().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    caller.create("Buy milk").await;
    place.installation.run(&["backup", "backup.db"]).await.with_code(0);
    caller.create("Buy bread").await;
    if is_killed {
        program.kill().await;
    } else {
        program.stop().await;
    }
    place
}

#[tokio::test]
async fn a_backup_is_restored_and_the_database_before_it_is_kept() {
    for is_killed in [false, true] {
        let place = with_a_backup(is_killed).await;
        let restored = place.installation.run(&["restore", "backup.db"]).await.with_code(0);
        assert!(restored.stderr.starts_with("Restored todos.db from backup.db.\n"), "{restored:?}");
        let kept = files(&place, "todos.db.before-restore-");
        assert_eq!(kept.len(), if is_killed { 2 } else { 1 }, "{kept:?}");
        assert!(restored.stderr.contains(&kept[0]), "{restored:?}");
        assert_eq!(files(&place, "todos.db-"), [""; 0]);
        assert_eq!(place.file().metadata().unwrap().permissions().mode() & 0o777, 0o600);

        let program = place.serve().await;
        let caller = place.caller(&program, "usr_1");
        assert_eq!(everything(&caller).await.len(), 1, "{is_killed}");
        caller.create("Buy oats").await;
        program.stop().await;
        place.assert_integrity();
        assert_eq!(count(place.installation.path(&kept[0])), 2);
        assert_eq!(count(place.installation.path("backup.db")), 1);

        // Once more, within the same second.
        place.installation.run(&["restore", "backup.db"]).await.with_code(0);
        place.installation.run(&["restore", "backup.db"]).await.with_code(0);
        assert_eq!(count(place.file()), 1);
    }
}

#[tokio::test]
async fn a_database_that_is_damaged_or_missing_is_restored() {
    for content in [Some("not a database"), None] {
        let place = with_a_backup(false).await;
        fs::remove_file(place.file()).unwrap();
        if let Some(content) = content {
            fs::write(place.file(), content).unwrap();
        }
        place.installation.run(&["restore", "backup.db"]).await.with_code(0);
        let program = place.serve().await;
        assert_eq!(everything(&place.caller(&program, "usr_1")).await.len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_restored_while_a_server_runs() {
    let place = with_a_backup(false).await;
    let program = place.serve().await;
    let refused = place.installation.run(&["restore", "backup.db"]).await;
    place.assert_refused(&refused, "is in use by another process");
    assert_eq!(everything(&place.caller(&program, "usr_1")).await.len(), 2);
    assert_eq!(program.readiness().await, 200);
    assert_eq!(files(&place, "todos.db.before"), [""; 0]);
}

#[tokio::test]
async fn a_file_that_cannot_be_served_is_not_restored() {
    let place = with_a_backup(false).await;
    let backup = place.installation.path("backup.db");
    let (whole, before) = (fs::read(&backup).unwrap(), fs::read(place.file()).unwrap());
    let shell = |statement: &str| {
        fs::write(&backup, &whole).unwrap();
        let shell = Connection::open(&backup).unwrap();
        shell.execute_batch(statement).unwrap();
        shell.close().unwrap();
        fs::read(&backup).unwrap()
    };
    let newer = shell("PRAGMA user_version = 99");
    let foreign = shell("PRAGMA application_id = 7");
    let mut damaged = whole.clone();
    damaged[4096..2 * 4096].fill(0xff);
    let half = whole[..whole.len() / 2].to_vec();
    for (content, words) in [
        (Vec::new(), "backup.db is empty"),
        (b"Dear diary".repeat(1000), "backup.db is not an SQLite database"),
        (newer, "backup.db has schema 99"),
        (foreign, "backup.db is the database of another application"),
        (damaged, "backup.db is damaged"),
        (half, "backup.db is damaged"),
    ] {
        fs::write(&backup, content).unwrap();
        let refused = place.installation.run(&["restore", "backup.db"]).await.with_code(1);
        assert!(refused.stderr.contains(words), "{words} in {refused:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        assert_eq!(fs::read(place.file()).unwrap(), before, "{words}");
        assert_eq!(files(&place, "todos.db."), ["todos.db.lock"], "{words}");
    }
    fs::write(&backup, &whole).unwrap();
    fs::write(place.installation.path("backup.db-wal"), "log").unwrap();
    let refused = place.installation.run(&["restore", "backup.db"]).await.with_code(1);
    assert!(refused.stderr.contains("has a log beside it"), "{refused:?}");
}

#[tokio::test]
async fn after_an_interrupted_restore_nothing_is_opened_until_it_is_repeated() {
    let place = with_a_backup(true).await;
    // Between two steps: the database has been moved, and its log has not.
    fs::write(place.installation.path("todos.db.lock"), "restoring\n").unwrap();
    fs::rename(place.file(), place.installation.path("todos.db.before-restore-1")).unwrap();
    for command in ["serve", "migrate"] {
        let refused = place.installation.run(&[command]).await;
        place.assert_refused(&refused, "todo-mcp restore FILE");
        assert!(!place.file().exists());
    }
    place.installation.run(&["restore", "backup.db"]).await.with_code(0);
    let program = place.serve().await;
    assert_eq!(everything(&place.caller(&program, "usr_1")).await.len(), 1);
}
