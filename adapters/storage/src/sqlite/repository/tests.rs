//! What only a file can show: that todos are durable, and what happens with rows that another program
//! has changed.

use std::error::Error as _;

use todo_application::ports::Filter;

use super::*;
use crate::sqlite::fixture::{Place, id, read_permit, todo, write_permit};

#[tokio::test]
async fn todos_are_found_after_reopening() {
    let place = Place::new();
    let milk = todo(1, "Buy milk");
    place.open().insert(&write_permit(), &milk).await.unwrap();

    let found = place.open().find(&read_permit(), id(1)).await.unwrap();
    assert_eq!(found, Some(milk));
}

#[tokio::test]
async fn closing_leaves_all_todos_in_one_file() {
    let place = Place::new();
    let log = place.directory().join("todos.db-wal");
    let repository = place.open();
    let shell = place.shell();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    let todos = || shell.query_row("SELECT count(*) FROM todos", [], |row| row.get(0));
    assert_eq!(todos(), Ok(1));
    assert_ne!(log.metadata().unwrap().len(), 0);

    // While another program has the database open, the log stays, but it is empty.
    drop(repository);
    assert_eq!(log.metadata().unwrap().len(), 0);
    assert_eq!(todos(), Ok(1));

    drop(shell);
    place.open().insert(&write_permit(), &todo(2, "Buy bread")).await.unwrap();
    assert!(!log.exists());
}

#[tokio::test]
async fn a_row_that_this_program_cannot_have_written_is_corrupt() {
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
        ("last changed before it was created", "updated_at = created_at - 1"),
        ("done outside its own lifetime", "completed_at = updated_at + 1"),
    ] {
        let place = Place::new();
        let repository = place.open();
        repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
        let shell = place.shell();
        shell.execute(&format!("UPDATE todos SET {damage}"), []).unwrap();

        let name = id(1).to_string();
        let found = repository.find(&read_permit(), id(1)).await;
        let listed = repository.list(&read_permit(), Filter::default(), None, 1).await;
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
async fn an_id_of_another_length_is_corrupt_and_reported_as_bytes() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    let shell = place.shell();
    shell.execute("UPDATE todos SET id = x'0a0b'", []).unwrap();

    let listed = repository.list(&read_permit(), Filter::default(), None, 1).await;
    assert!(
        matches!(&listed, Err(StorageError::Corrupt { id, .. }) if id == "[0a, 0b]"),
        "{listed:?}"
    );
}

#[tokio::test]
async fn the_others_can_be_read_beside_a_corrupt_todo_and_it_can_be_removed() {
    let place = Place::new();
    let repository = place.open();
    for number in [1, 2] {
        repository.insert(&write_permit(), &todo(number, "Buy milk")).await.unwrap();
    }
    let shell = place.shell();
    shell
        .execute("UPDATE todos SET title = '' WHERE id = ?1", [id(1).as_uuid().as_bytes()])
        .unwrap();

    assert!(repository.find(&read_permit(), id(2)).await.unwrap().is_some());
    let gone = todo(1, "Buy milk");
    repository.remove(&write_permit(), &gone, gone.updated_at()).await.unwrap();
    let todos = repository.list(&read_permit(), Filter::default(), None, 9).await.unwrap();
    assert_eq!(todos, [todo(2, "Buy milk")]);
}

#[tokio::test]
async fn a_table_that_is_missing_is_damage_until_it_is_back() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    repository.check().await.unwrap();

    let shell = place.shell();
    shell.execute_batch("ALTER TABLE todos RENAME TO elsewhere").unwrap();
    let found = repository.find(&read_permit(), id(1)).await;
    assert!(matches!(found, Err(StorageError::Damaged(_))), "{found:?}");
    let inserted = repository.insert(&write_permit(), &todo(2, "Buy bread")).await;
    let damaged = matches!(inserted, Err(InsertError::Storage(StorageError::Damaged(_))));
    assert!(damaged, "{inserted:?}");
    let Err(StorageError::Unavailable(cause)) = repository.check().await else { panic!("healthy") };
    let cause = cause.to_string();
    assert!(cause.starts_with("the database cannot be read: "), "{cause}");
    assert!(cause.contains("no such table: todos"), "{cause}");

    shell.execute_batch("ALTER TABLE elsewhere RENAME TO todos").unwrap();
    repository.insert(&write_permit(), &todo(2, "Buy bread")).await.unwrap();
    repository.check().await.unwrap();
}

#[tokio::test]
async fn reading_does_not_wait_for_a_transaction_of_another_program() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    let shell = place.shell();
    shell.execute_batch("BEGIN IMMEDIATE; DELETE FROM todos").unwrap();

    let found = repository.find(&read_permit(), id(1)).await.unwrap();
    assert_eq!(found, Some(todo(1, "Buy milk")));
}

#[tokio::test]
async fn a_cancelled_read_returns_its_connection() {
    let place = Place::new();
    let repository = place.open();
    for _ in 0..100 {
        let read = repository.readers.read(queries::probe);
        drop(tokio::time::timeout(Duration::ZERO, read).await);
        drop(repository.find(&read_permit(), id(1)));
    }
    assert_eq!(repository.find(&read_permit(), id(1)).await.unwrap(), None);
}
