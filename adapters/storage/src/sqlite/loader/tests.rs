use std::fs;

use todo_application::domain::{Description, TodoRecord};

use super::*;
use crate::sqlite::SqliteTodoRepository;
use crate::sqlite::fixture::{Place, operator, todo};

/// So many that SQLite makes a checkpoint after each batch, and the next one begins a log.
fn batch(number: u8) -> Vec<Todo> {
    let description = Description::try_from("x".repeat(16_000).as_str()).unwrap();
    let long = |id: u8| {
        let record = todo(id, "long").record().clone();
        Todo::restore(TodoRecord { description: description.clone(), ..record }).unwrap()
    };
    (0..60).map(|id| long(number * 60 + id)).collect()
}

#[tokio::test]
async fn loaded_todos_are_counted_in_the_head_of_their_workspace() {
    let place = Place::new();
    let loader = SqliteTodoLoader::open(&place.file()).unwrap();
    for _ in 0..2 {
        loader
            .load(&operator(), vec![todo(1, "one"), todo(2, "two"), todo(2, "two")], None)
            .await
            .unwrap();
    }
    let head = "SELECT todos, bytes, latest FROM heads";
    let head = place.shell().query_row(head, [], |row| {
        Ok::<(i64, i64, i64), _>((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    let bytes = i64::try_from(todo(1, "one").bytes() + todo(2, "two").bytes()).unwrap();
    assert_eq!(head.unwrap(), (2, bytes, 2));
}

#[tokio::test]
async fn the_log_of_a_killed_import_is_not_applied_to_a_copy_of_the_database() {
    let place = Place::new();
    drop(place.open());
    let before = fs::read(place.file()).unwrap();
    let loader = SqliteTodoLoader::open(&place.file()).unwrap();
    loader.0.lock().unwrap().connection.pragma_update(None, "wal_autocheckpoint", 100).unwrap();
    for number in 0..4 {
        loader.load(&operator(), batch(number), None).await.unwrap();
    }
    let killed = place.after_a_crash();
    SqliteTodoRepository::open(&killed.file()).unwrap();

    let killed = place.after_a_crash();
    fs::write(killed.file(), before).unwrap();
    let refused = SqliteTodoRepository::open(&killed.file()).err().unwrap().to_string();
    assert!(refused.contains("belongs to another file"), "{refused}");
}
