use std::error::Error as _;
use std::fs;

use todo_application::ports::TodoRepository as _;

use super::*;
use crate::sqlite::fixture::{Place, id, operator, todo, write_permit};

const LIMIT: NonZeroUsize = NonZeroUsize::MAX;

fn problem(place: &Place) -> OpenProblem {
    SqliteSnapshot::open(&place.file()).err().unwrap().problem
}

fn files(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.directory()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_missing_database_is_not_created() {
    let place = Place::new();
    assert!(matches!(problem(&place), OpenProblem::Missing));
    let below = place.directory().join("no/such/todos.db");
    let error = SqliteSnapshot::open(&below).err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("{} does not exist: set DATABASE_URL to an existing database", below.display())
    );
    assert_eq!(files(&place), [""; 0]);
}

#[test]
fn files_of_other_kinds_are_left_unchanged() {
    let place = Place::new();
    fs::write(place.file(), "Dear diary, ".repeat(1000)).unwrap();
    assert!(matches!(problem(&place), OpenProblem::NotADatabase));

    let place = Place::new();
    place.shell().pragma_update(None, "application_id", 7).unwrap();
    let before = fs::read(place.file()).unwrap();
    assert!(matches!(problem(&place), OpenProblem::Foreign));
    assert_eq!(fs::read(place.file()).unwrap(), before);

    let place = Place::new();
    fs::create_dir(place.file()).unwrap();
    assert!(matches!(problem(&place), OpenProblem::NotAFile));
}

#[test]
fn another_schema_is_an_error_that_says_what_to_do() {
    let place = Place::new();
    drop(place.open());
    let known = schema::CURRENT;
    place.shell().pragma_update(None, "user_version", known - 1).unwrap();
    let older = SqliteSnapshot::open(&place.file()).err().unwrap().to_string();
    assert!(older.ends_with("migrate it with `todo-mcp migrate`"), "{older}");

    place.shell().pragma_update(None, "user_version", 99).unwrap();
    let newer = SqliteSnapshot::open(&place.file()).err().unwrap().to_string();
    assert!(newer.contains("use a newer todo-mcp"), "{newer}");
}

#[tokio::test]
async fn a_snapshot_can_be_read_beside_a_server_and_leaves_nothing_behind() {
    let place = Place::new();
    let repository = place.open();
    repository.insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
    let mut snapshot = SqliteSnapshot::open(&place.file()).unwrap();
    repository.insert(&write_permit(), &todo(2, "Buy bread")).await.unwrap();
    assert_eq!(snapshot.next_page(&operator(), LIMIT).await.unwrap(), [todo(1, "Buy milk")]);
    drop((repository, snapshot));

    let mut snapshot = SqliteSnapshot::open(&place.file()).unwrap();
    assert_eq!(snapshot.next_page(&operator(), LIMIT).await.unwrap().len(), 2);
    drop(snapshot);
    assert_eq!(files(&place), ["todos.db", "todos.db.lock"]);
}

#[tokio::test]
async fn a_row_that_this_program_cannot_have_written_is_corrupt() {
    for (column, damage) in
        [("title", "title = ''"), ("workspace", "workspace = ''"), ("version", "version = 0")]
    {
        let place = Place::new();
        place.open().insert(&write_permit(), &todo(1, "Buy milk")).await.unwrap();
        place.shell().execute(&format!("UPDATE todos SET {damage}"), []).unwrap();
        let mut snapshot = SqliteSnapshot::open(&place.file()).unwrap();
        let error = snapshot.next_page(&operator(), LIMIT).await.unwrap_err();
        let name = id(1).to_string();
        assert!(matches!(&error, StorageError::Corrupt { id, .. } if *id == name), "{error:?}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(column), "{damage}: {source}");
    }
}
