//! Damaged pages of the file, as a failing disk returns them.
//!
//! What SQLite cannot read, and what violates an invariant of the program, is never shown.
//! Plausible damage is not detected, because the file has no checksums.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use fastrand::Rng;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_adapter_storage::{OpenProblem, SqliteTodoRepository};
use todo_application::domain::{Completion, Description, Todo, TodoId, TodoRecord};
use todo_application::ports::{ChangeError, Filter, StorageError};
use todo_tests::client::{Answer, Client};
use todo_tests::{Permitted as _, todo_record, workspace};

use crate::groups::{begin, in_the_way};
use crate::program::{Place, everything};

const PAGE: usize = 4096;
const FILE: &str = "todos.db";

/// The damage to a page.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Zeros,
    Ones,
    Noise,
}

fn overwrite(bytes: &mut [u8], damage: Damage, random: &mut Rng) {
    match damage {
        Damage::Zeros => bytes.fill(0),
        Damage::Ones => bytes.fill(0xff),
        Damage::Noise => random.fill(bytes),
    }
}

/// Todos on several pages, with descriptions on overflow pages.
fn todos() -> Vec<Todo> {
    let todo = |number: u32| {
        let id = TodoId::from_bytes(u128::from(number).to_be_bytes());
        let record = todo_record(&workspace("mine"), id);
        let description = "milk, ".repeat(if number.is_multiple_of(10) { 1500 } else { 30 });
        let description = Description::try_from(description.as_str()).unwrap();
        let done = Completion::Done { at: record.updated_at };
        let completion = if number.is_multiple_of(3) { done } else { Completion::Open };
        Todo::restore(TodoRecord { description, completion, ..record }).unwrap()
    };
    (0..80).map(todo).collect()
}

/// The file of a database with these todos, cleanly closed.
async fn written(todos: &[Todo]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let repository = open(&directory, None);
    for todo in todos {
        repository.add(todo).await.unwrap();
    }
    drop(repository);
    fs::read(directory.path().join(FILE)).unwrap()
}

/// Opens a new database with this content.
fn open(directory: &TempDir, content: Option<Vec<u8>>) -> SqliteTodoRepository {
    let file = directory.path().join(FILE);
    if let Some(content) = content {
        fs::write(&file, content).unwrap();
    }
    SqliteTodoRepository::open(&file).unwrap()
}

#[tokio::test]
async fn with_any_page_damaged_every_answer_is_correct_or_an_error() {
    let (todos, mine) = (todos(), workspace("mine"));
    let whole = written(&todos).await;
    let mut random = Rng::with_seed(0xda_3a);
    let (mut right, mut errors) = (0, 0);
    for page in 1..whole.len() / PAGE {
        for damage in [Damage::Zeros, Damage::Ones, Damage::Noise] {
            let mut bytes = whole.clone();
            overwrite(&mut bytes[page * PAGE..][..PAGE], damage, &mut random);
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join(FILE);
            fs::write(&file, bytes).unwrap();
            let repository = match SqliteTodoRepository::open(&file) {
                Ok(repository) => repository,
                // The list of the tables has more than one page.
                Err(error) => {
                    assert!(matches!(error.problem, OpenProblem::Damaged), "{error:?}");
                    errors += 1;
                    continue;
                }
            };
            let mut judge = |is_right: Result<bool, StorageError>| match is_right {
                Ok(is_right) => {
                    assert!(is_right, "{damage:?} of page {page}");
                    right += 1;
                }
                Err(StorageError::Corrupt { .. } | StorageError::Damaged(_)) => errors += 1,
                Err(error) => panic!("{error:?}: {damage:?} of page {page}"),
            };
            for todo in &todos {
                let found = repository.find_in(&mine, todo.id()).await;
                judge(found.map(|found| found.as_ref() == Some(todo)));
            }
            for completed in [None, Some(false), Some(true)] {
                let fits =
                    |todo: &&Todo| completed.is_none_or(|it| it == todo.completion().is_done());
                let listed =
                    repository.list_in(&mine, Filter { completed }, None, usize::MAX).await;
                judge(listed.map(|listed| listed.iter().eq(todos.iter().filter(fits))));
            }
        }
    }
    assert!(errors > 100 && right > 5 * errors, "{right} right, {errors} errors");
}

/// Saves `todo` in its next version, and returns the result.
fn save(
    repository: &Arc<SqliteTodoRepository>,
    todo: &Todo,
) -> impl Future<Output = Result<(), StorageError>> + use<> {
    let (repository, expected) = (Arc::clone(repository), todo.version());
    let record = TodoRecord { version: expected.next(), ..todo.record().clone() };
    let next = Todo::restore(record).unwrap();
    async move {
        repository.replace(&next, expected).await.map_err(|error| match error {
            ChangeError::Storage(error) => error,
            ChangeError::Stale | ChangeError::QuotaExceeded(_) => {
                panic!("there is no other writer and no quota")
            }
        })
    }
}

#[tokio::test]
async fn in_a_group_of_writes_only_the_one_on_a_damaged_page_fails() {
    let todos = todos();
    let mut bytes = written(&todos).await;
    let middle = bytes.len() / PAGE / 2 * PAGE;
    overwrite(&mut bytes[middle..][..PAGE], Damage::Noise, &mut Rng::with_seed(7));
    let [directory, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());

    let repository = Arc::new(open(&directory, Some(bytes.clone())));
    let mut alone = Vec::new();
    for todo in &todos {
        alone.push(save(&repository, todo).await);
    }
    let repository = Arc::new(open(&other, Some(bytes)));
    let shell = in_the_way(&other.path().join(FILE));
    let begun = begin(todos.iter().map(|todo| save(&repository, todo)));
    shell.execute_batch("COMMIT").unwrap();

    let is_damage = |answer: &Result<_, _>| matches!(answer, Err(StorageError::Damaged(_)));
    for (alone, begun) in alone.iter().zip(begun) {
        let together = begun.answer().await;
        assert!(alone.is_ok() || is_damage(alone), "{alone:?}");
        assert_eq!(together.is_ok(), alone.is_ok(), "{together:?}");
        assert_eq!(is_damage(&together), is_damage(alone), "{together:?}");
    }
    let saved = alone.iter().filter(|answer| answer.is_ok()).count();
    assert!((40..80).contains(&saved), "{saved}");
}

/// The leaves of the table of todos, as numbers of pages counted from 1 (SQLite, "B-tree Pages").
fn leaves_of_todos(shell: &Connection, bytes: &[u8]) -> Vec<usize> {
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'todos'";
    let mut inner = vec![shell.query_row(root, [], |row| row.get::<_, u32>(0)).unwrap()];
    let mut leaves = Vec::new();
    while let Some(number) = inner.pop() {
        let number = usize::try_from(number).unwrap();
        let page = &bytes[(number - 1) * PAGE..][..PAGE];
        let short = |at: usize| usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
        let child = |at: usize| u32::from_be_bytes(page[at..][..4].try_into().unwrap());
        match page[0] {
            // An inner page of a table without row ids.
            2 => {
                inner.push(child(8));
                inner.extend((0..short(3)).map(|cell| child(short(12 + 2 * cell))));
            }
            _ => leaves.push(number),
        }
    }
    leaves
}

#[tokio::test]
async fn damage_is_logged_and_the_rest_is_served() {
    let place = Place::new().await;
    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    for number in 0..60 {
        let todo =
            json!({ "title": format!("todo {number}"), "description": "milk, ".repeat(100) });
        caller.call("create_todo", todo).await.structured();
    }
    let stored = everything(&caller).await;
    program.stop().await;
    let mut bytes = fs::read(place.file()).unwrap();
    let pages = leaves_of_todos(&place.shell(), &bytes);
    for page in &pages[pages.len() / 3..][..3] {
        overwrite(&mut bytes[(page - 1) * PAGE..][..PAGE], Damage::Noise, &mut Rng::with_seed(7));
    }
    fs::write(place.file(), bytes).unwrap();

    let program = place.serve().await;
    let caller = place.caller(&program, "usr_1");
    let readable = read_each(&caller, &stored).await;
    assert!((20..60).contains(&readable.len()), "{}", readable.len());
    is_internal(&caller.call("list_todos", json!({ "limit": 200 })).await);

    let mut expected = readable.clone();
    for id in stored.keys() {
        let changed = caller.call("update_todo", json!({ "todo_id": id, "completed": true })).await;
        if changed.json().get("error").is_some() {
            is_internal(&changed);
        } else {
            expected.insert(id.clone(), changed.structured()["todo"].clone());
        }
    }
    assert_ne!(expected, readable);
    assert_eq!(read_each(&caller, &stored).await, expected);
    let ended = program.stop().await;
    assert!(ended.stderr.contains("malformed"), "{ended:?}");
}

/// The readable todos, by their ids.
async fn read_each(caller: &Client, stored: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut readable = BTreeMap::new();
    for (id, todo) in stored {
        let answer = caller.call("get_todo", json!({ "todo_id": id })).await;
        if answer.json().get("error").is_some() {
            is_internal(&answer);
            continue;
        }
        let found = answer.structured()["todo"].clone();
        assert_eq!(found["description"], todo["description"]);
        readable.insert(id.clone(), found);
    }
    readable
}

/// JSON-RPC's "internal error", without the cause.
#[track_caller]
fn is_internal(answer: &Answer) {
    assert_eq!(answer.error_code(), -32603, "{answer:?}");
    assert!(!answer.text.contains("malformed"), "{answer:?}");
}

#[tokio::test]
async fn a_truncated_file_is_rejected_with_one_sentence_and_left_unchanged() {
    let place = Place::new().await;
    let program = place.serve().await;
    place.caller(&program, "usr_1").create("Buy milk").await;
    program.stop().await;
    let whole = fs::read(place.file()).unwrap();
    let with = |range: std::ops::Range<usize>| {
        let mut bytes = whole.clone();
        bytes[range].fill(0xff);
        bytes
    };
    let half = whole[..whole.len() / 2].to_vec();
    for (bytes, words) in [
        (with(0..16), "is not an SQLite database"),
        (with(100..PAGE), "is damaged"),
        (half, "is damaged"),
    ] {
        fs::write(place.file(), &bytes).unwrap();
        for command in ["serve", "migrate"] {
            place.assert_refused(&place.installation.run(&[command]).await, words);
            assert_eq!(fs::read(place.file()).unwrap(), bytes);
        }
    }
    fs::write(place.file(), whole).unwrap();
    let program = place.serve().await;
    assert_eq!(everything(&place.caller(&program, "usr_1")).await.len(), 1);
}
