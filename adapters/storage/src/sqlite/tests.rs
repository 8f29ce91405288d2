//! What only a file can show: that todos last, and what becomes of rows that others have touched.

use std::error::Error as _;

use todo_application::ports::Filter;

use super::fixture::{Place, id, todo, workspace};
use super::*;

#[tokio::test]
async fn todos_are_there_after_reopening() {
    let place = Place::new();
    let milk = todo(1, "Buy milk");
    place.open().insert(&milk).await.unwrap();

    let found = place.open().find(&workspace(), id(1)).await.unwrap();
    assert_eq!(found, Some(milk));
}

#[tokio::test]
async fn closing_leaves_everything_in_one_file() {
    let place = Place::new();
    let log = place.directory().join("todos.db-wal");
    let repository = place.open();
    let shell = place.shell();
    repository.insert(&todo(1, "Buy milk")).await.unwrap();
    let todos = || shell.query_row("SELECT count(*) FROM todos", [], |row| row.get(0));
    assert_eq!(todos(), Ok(1));
    assert_ne!(log.metadata().unwrap().len(), 0);

    // While someone else has the database open, the log stays, but with nothing in it.
    drop(repository);
    assert_eq!(log.metadata().unwrap().len(), 0);
    assert_eq!(todos(), Ok(1));

    drop(shell);
    place.open().insert(&todo(2, "Buy bread")).await.unwrap();
    assert!(!log.exists());
}

#[tokio::test]
async fn a_row_that_this_program_cannot_have_written_is_corrupt_and_named() {
    for (column, damage) in [
        ("title", "title = ''"),
        ("title", "title = 'two' || char(10) || 'lines'"),
        ("title", "title = CAST(x'ff' AS TEXT)"),
        ("description", "description = char(27)"),
        ("completed_at", "completed_at = -1"),
        ("created_at", "created_at = -1"),
        ("updated_at", "updated_at = 9223372036854775807"),
        ("created_by", "created_by = ''"),
        ("updated_by", "updated_by = char(0)"),
        ("version", "version = 0"),
        ("last changed before it was made", "updated_at = created_at - 1"),
        ("done outside its own lifetime", "completed_at = updated_at + 1"),
    ] {
        let place = Place::new();
        let repository = place.open();
        repository.insert(&todo(1, "Buy milk")).await.unwrap();
        let shell = place.shell();
        shell.execute(&format!("UPDATE todos SET {damage}"), []).unwrap();

        let name = id(1).to_string();
        let found = repository.find(&workspace(), id(1)).await;
        let listed = repository.list(&workspace(), Filter::default(), None, 1).await;
        for error in [found.unwrap_err(), listed.unwrap_err()] {
            assert!(
                matches!(&error, StorageError::Corrupt { id: named, .. } if *named == name),
                "{damage}: {error:?}"
            );
            let source = error.source().unwrap().to_string();
            assert!(source.contains(column), "{damage}: {source}");
        }
    }
}

#[tokio::test]
async fn an_id_of_another_length_is_corrupt_and_named_as_far_as_possible() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&todo(1, "Buy milk")).await.unwrap();
    let shell = place.shell();
    shell.execute("UPDATE todos SET id = x'0a0b'", []).unwrap();

    let listed = repository.list(&workspace(), Filter::default(), None, 1).await;
    assert!(
        matches!(&listed, Err(StorageError::Corrupt { id, .. }) if id == "[0a, 0b]"),
        "{listed:?}"
    );
}

#[tokio::test]
async fn a_corrupt_todo_can_be_removed_and_its_neighbours_read() {
    let place = Place::new();
    let repository = place.open();
    for number in [1, 2] {
        repository.insert(&todo(number, "Buy milk")).await.unwrap();
    }
    let shell = place.shell();
    shell
        .execute("UPDATE todos SET title = '' WHERE id = ?1", [id(1).as_uuid().as_bytes()])
        .unwrap();

    assert!(repository.find(&workspace(), id(2)).await.unwrap().is_some());
    assert!(repository.remove(&workspace(), id(1), None).await.unwrap());
    let todos = repository.list(&workspace(), Filter::default(), None, 9).await.unwrap();
    assert_eq!(todos, [todo(2, "Buy milk")]);
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_is_unavailable_until_it_can() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&todo(1, "Buy milk")).await.unwrap();
    assert_eq!(repository.ready().await, Ok(()));

    let shell = place.shell();
    shell.execute_batch("ALTER TABLE todos RENAME TO elsewhere").unwrap();
    let found = repository.find(&workspace(), id(1)).await;
    assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    let inserted = repository.insert(&todo(2, "Buy bread")).await;
    assert!(matches!(inserted, Err(StorageError::Unavailable(_))), "{inserted:?}");
    assert_eq!(
        repository.ready().await,
        Err(NotReady("the database cannot be read: no such table: todos".into()))
    );

    shell.execute_batch("ALTER TABLE elsewhere RENAME TO todos").unwrap();
    repository.insert(&todo(2, "Buy bread")).await.unwrap();
    assert_eq!(repository.ready().await, Ok(()));
}

#[tokio::test]
async fn reading_does_not_wait_for_another_programs_transaction() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&todo(1, "Buy milk")).await.unwrap();
    let shell = place.shell();
    shell.execute_batch("BEGIN IMMEDIATE; DELETE FROM todos").unwrap();

    let found = repository.find(&workspace(), id(1)).await.unwrap();
    assert_eq!(found, Some(todo(1, "Buy milk")));
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_gives_its_connection_back() {
    let place = Place::new();
    let repository = place.open();
    for _ in 0..100 {
        let (workspace, read) = (workspace(), repository.readers.read(queries::probe));
        drop(tokio::time::timeout(Duration::ZERO, read).await);
        drop(repository.find(&workspace, id(1)));
    }
    assert_eq!(repository.find(&workspace(), id(1)).await.unwrap(), None);
}
