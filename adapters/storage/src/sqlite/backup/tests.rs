use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use todo_application::ports::{Filter, TodoRepository as _};
use tokio::task::spawn_blocking;

use super::*;
use crate::sqlite::fixture::{Place, read_permit, todo, write_permit};
use crate::sqlite::{SqliteTodoRepository, schema};

const CONTINUE: ControlFlow<()> = ControlFlow::Continue(());

/// An empty file for the copy.
fn empty(place: &Place) -> PathBuf {
    let copy = place.directory().join("copy.db");
    fs::write(&copy, "").unwrap();
    copy
}

fn copy(place: &Place) -> Result<PathBuf, BackupError> {
    let copy = empty(place);
    SqliteBackup::open(&place.file()).unwrap().copy_to(&copy, |_, _| CONTINUE).map(|()| copy)
}

fn integrity(file: &Path) -> String {
    let copy = Connection::open(file).unwrap();
    copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_under_load_is_intact_and_has_all_todos_written_before() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let long = "x".repeat(400);
    for number in 0..100 {
        repository.insert(&write_permit(), &todo(number, &long)).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (repository, done) = (Arc::clone(&repository), Arc::clone(&done));
        async move {
            let mut others = (100..=255).cycle();
            while !done.load(Ordering::Relaxed) {
                let number = others.next().unwrap();
                let todo = todo(number, "In between");
                // The first time there is none.
                let _ = repository.remove(&write_permit(), &todo, todo.updated_at()).await;
                repository.insert(&write_permit(), &todo).await.unwrap();
            }
        }
    });
    for _ in 0..5 {
        let (source, target) = (place.file(), empty(&place));
        let copy = target.clone();
        let copied = spawn_blocking(move || {
            SqliteBackup::open(&source).unwrap().copy_to(&copy, |_, _| CONTINUE)
        });
        copied.await.unwrap().unwrap();
        assert_eq!(integrity(&target), "ok");
        let restored = SqliteTodoRepository::open(&target).unwrap();
        let todos = restored.list(&read_permit(), Filter::default(), None, 100).await.unwrap();
        let expected: Vec<_> = (0..100).map(|number| todo(number, &long)).collect();
        assert_eq!(todos, expected);
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_copy_shows_the_instant_at_which_it_was_opened() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    let backup = SqliteBackup::open(&place.file()).unwrap();
    repository.insert(&write_permit(), &todo(2, "Buy bread")).await.unwrap();
    let copy = empty(&place);
    backup.copy_to(&copy, |_, _| CONTINUE).unwrap();

    let restored = SqliteTodoRepository::open(&copy).unwrap();
    let todos = restored.list(&read_permit(), Filter::default(), None, 9).await.unwrap();
    assert_eq!(todos, [todo(1, "Buy milk")]);
}

#[tokio::test]
async fn a_database_can_be_copied_before_its_migration() {
    let place = Place::new();
    place.open().insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    place.shell().pragma_update(None, "user_version", schema::CURRENT - 1).unwrap();
    let copied = Connection::open(copy(&place).unwrap()).unwrap();
    let schema: i32 = copied.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(schema, schema::CURRENT - 1);
}

#[tokio::test]
async fn a_damaged_database_fails_the_check_of_its_copy() {
    let place = Place::new();
    let repository = place.open();
    for number in 0..255 {
        repository.insert(&write_permit(), &todo(number, &"x".repeat(400))).await.unwrap();
    }
    drop(repository);
    let mut bytes = fs::read(place.file()).unwrap();
    let last_page = bytes.len() - 4096;
    bytes[last_page..].fill(0xff);
    fs::write(place.file(), bytes).unwrap();
    let copied = copy(&place);
    assert!(matches!(copied, Err(BackupError::Damaged(_))), "{copied:?}");
}

#[tokio::test]
async fn the_progress_reaches_the_last_page_unless_it_stops_the_backup() {
    let place = Place::new();
    place.open().insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    let (copy, backup) = (empty(&place), SqliteBackup::open(&place.file()).unwrap());
    let mut seen = Vec::new();
    let copied = backup.copy_to(&copy, |done, total| {
        seen.push((done, total));
        CONTINUE
    });
    assert!(copied.is_ok());
    let (done, total) = *seen.last().unwrap();
    assert_eq!(done, total);
    assert_ne!(total, 0);

    let copy = empty(&place);
    let copied = backup.copy_to(&copy, |_, _| ControlFlow::Break(()));
    assert!(matches!(copied, Err(BackupError::Stopped)), "{copied:?}");
}
