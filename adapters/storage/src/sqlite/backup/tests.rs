use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use todo_application::ports::{Filter, TodoRepository as _};
use tokio::task::spawn_blocking;

use super::*;
use crate::sqlite::fixture::{Place, id, todo, workspace};
use crate::sqlite::{SqliteTodoRepository, schema};

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

/// An empty file for a copy.
fn empty(place: &Place) -> PathBuf {
    let copy = place.directory().join("copy.db");
    fs::write(&copy, "").unwrap();
    copy
}

fn copy(place: &Place) -> Result<PathBuf, BackupError> {
    let copy = empty(place);
    SqliteBackup::open(&place.file()).unwrap().copy_to(&copy, |_, _| GO_ON).map(|()| copy)
}

fn integrity(file: &Path) -> String {
    let copy = Connection::open(file).unwrap();
    copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_made_under_load_is_sound_and_has_all_that_was_answered_before() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let long = "x".repeat(400);
    for number in 0..100 {
        repository.insert(&todo(number, &long)).await.unwrap();
    }
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (repository, done) = (Arc::clone(&repository), Arc::clone(&done));
        async move {
            let mut others = (100..=255).cycle();
            while !done.load(Ordering::Relaxed) {
                let number = others.next().unwrap();
                repository.remove(&workspace(), id(number), None).await.unwrap();
                repository.insert(&todo(number, "In between")).await.unwrap();
            }
        }
    });
    for _ in 0..5 {
        let (source, target) = (place.file(), empty(&place));
        let copy = target.clone();
        let copied = spawn_blocking(move || {
            SqliteBackup::open(&source).unwrap().copy_to(&copy, |_, _| GO_ON)
        });
        copied.await.unwrap().unwrap();
        assert_eq!(integrity(&target), "ok");
        let restored = SqliteTodoRepository::open(&target).unwrap();
        let todos = restored.list(&workspace(), Filter::default(), None, 100).await.unwrap();
        let expected: Vec<_> = (0..100).map(|number| todo(number, &long)).collect();
        assert_eq!(todos, expected);
    }
    done.store(true, Ordering::Relaxed);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_copy_shows_the_moment_when_it_was_begun() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&todo(1, "Buy milk")).await.unwrap();
    let backup = SqliteBackup::open(&place.file()).unwrap();
    repository.insert(&todo(2, "Buy bread")).await.unwrap();
    let copy = empty(&place);
    backup.copy_to(&copy, |_, _| GO_ON).unwrap();

    let restored = SqliteTodoRepository::open(&copy).unwrap();
    let todos = restored.list(&workspace(), Filter::default(), None, 9).await.unwrap();
    assert_eq!(todos, [todo(1, "Buy milk")]);
}

#[tokio::test]
async fn a_database_may_be_copied_before_it_is_brought_to_a_new_schema() {
    let place = Place::new();
    place.open().insert(&todo(1, "Buy milk")).await.unwrap();
    place.shell().pragma_update(None, "user_version", schema::CURRENT - 1).unwrap();
    let copied = Connection::open(copy(&place).unwrap()).unwrap();
    let schema: i32 = copied.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(schema, schema::CURRENT - 1);
}

#[tokio::test]
async fn a_damaged_database_makes_no_copy_that_anyone_could_trust() {
    let place = Place::new();
    let repository = place.open();
    for number in 0..255 {
        repository.insert(&todo(number, &"x".repeat(400))).await.unwrap();
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
async fn whoever_watches_sees_it_through_to_the_last_page_or_stops_it() {
    let place = Place::new();
    place.open().insert(&todo(1, "Buy milk")).await.unwrap();
    let (copy, backup) = (empty(&place), SqliteBackup::open(&place.file()).unwrap());
    let mut seen = Vec::new();
    let copied = backup.copy_to(&copy, |done, total| {
        seen.push((done, total));
        GO_ON
    });
    assert!(copied.is_ok());
    let (done, total) = *seen.last().unwrap();
    assert_eq!(done, total);
    assert_ne!(total, 0);

    let copy = empty(&place);
    let copied = backup.copy_to(&copy, |_, _| ControlFlow::Break(()));
    assert!(matches!(copied, Err(BackupError::Stopped)), "{copied:?}");
}
