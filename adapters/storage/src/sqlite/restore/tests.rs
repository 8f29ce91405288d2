use std::fs;

use super::*;
use crate::sqlite::SqliteTodoRepository;
use crate::sqlite::fixture::Place;

/// Replaces the database by nothing, as if there was no room for the backup.
fn fail_to_replace(place: &Place) {
    let restore = SqliteRestore::begin(&place.file()).unwrap();
    let aside = place.directory().join("aside");
    let full = || Err(io::Error::from(ErrorKind::StorageFull));
    assert_eq!(restore.replace(&aside, full).unwrap_err().kind(), ErrorKind::StorageFull);
}

#[test]
fn a_restore_that_fails_leaves_the_database_and_its_logs_as_they_were() {
    let place = Place::new();
    drop(place.open());
    fs::write(place.directory().join("todos.db-journal"), "journal").unwrap();
    let before = fs::read(place.file()).unwrap();
    fail_to_replace(&place);
    assert_eq!(fs::read(place.file()).unwrap(), before);
    assert!(place.directory().join("todos.db-journal").exists());
    drop(place.open());
}

#[test]
fn after_an_interrupted_restore_one_that_fails_does_not_make_room_for_a_new_database() {
    let place = Place::new();
    drop(place.open());
    // The first one was interrupted when it had moved the database.
    fs::write(lock::path(&place.file()), "restoring\n").unwrap();
    fs::rename(place.file(), place.directory().join("aside-1")).unwrap();
    fail_to_replace(&place);
    let refused = SqliteTodoRepository::open(&place.file()).err().unwrap().to_string();
    assert!(refused.contains("todo-mcp restore"), "{refused}");
    assert!(!place.file().exists());
}

#[test]
fn a_backup_with_a_log_is_not_complete_in_itself() {
    let place = Place::new();
    for log in LOGS {
        let log = lock::beside(&place.file(), log);
        fs::write(&log, "").unwrap();
        SqliteRestore::check_alone(&place.file()).unwrap();
        fs::write(&log, "log").unwrap();
        SqliteRestore::check_alone(&place.file()).unwrap_err();
        fs::remove_file(log).unwrap();
    }
}
