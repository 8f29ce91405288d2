//! Concurrent writes, which are committed in groups.

use std::num::NonZeroUsize;
use std::slice;
use std::sync::Arc;

use todo_adapter_storage::PostgresPool;
use todo_application::domain::{Completion, Description, Labels, Priority, TermRange};
use todo_application::ports::{InsertError, TodoRepository as _};
use todo_tests::postgres;
use tokio::task::JoinHandle;

use super::connections::open_with;
use super::*;

/// How many groups are written at the same time: the size of the pool.
const AT_ONCE: u64 = 8;

fn todo_of(name: &str, number: u64) -> Todo {
    Todo::restore(todo_record(&workspace(name), id(number))).unwrap()
}

/// A new database, and a client of it.
async fn database() -> (Arc<PostgresTodoRepository>, tokio_postgres::Client) {
    let server = postgres::shared();
    let database = server.create_database().await;
    (Arc::new(open(&server.url(&database)).await), server.connect(&database).await)
}

/// Begins a call. On the single thread of a test, calls are made in the order in which they are begun, and
/// before any of their groups is sent.
fn begin<T: Send + 'static, Calling: Future<Output = T> + Send + 'static>(
    repository: &Arc<PostgresTodoRepository>,
    call: impl FnOnce(Arc<PostgresTodoRepository>) -> Calling,
) -> JoinHandle<T> {
    tokio::spawn(call(Arc::clone(repository)))
}

fn begin_to_add(
    repository: &Arc<PostgresTodoRepository>,
    todo: Todo,
) -> JoinHandle<Result<(), InsertError>> {
    begin(repository, |repository| async move { repository.add(&todo).await })
}

async fn all<T>(calls: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut answers = Vec::new();
    for call in calls {
        answers.push(soon(call).await.unwrap());
    }
    answers
}

/// How many transactions have written the todos that there are.
async fn transactions(shell: &tokio_postgres::Client) -> i64 {
    let sql = "SELECT count(DISTINCT xmin::text) FROM todo_items";
    shell.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn writes_that_come_while_one_is_committed_are_committed_together() {
    let (repository, shell) = database().await;
    let numbers = 1..=21;
    let calls = numbers.clone().map(|number| begin_to_add(&repository, todo(number)));
    all(calls.collect()).await.into_iter().for_each(|added| added.unwrap());
    assert_eq!(transactions(&shell).await, 2);

    let calls = numbers.clone().map(|number| {
        let changed = done(&todo(number));
        let saving = async move |it: Arc<PostgresTodoRepository>| {
            it.save(&write_permit(&workspace("mine")), &todo(number), &changed).await.map(drop)
        };
        begin(&repository, saving)
    });
    all(calls.collect()).await.into_iter().for_each(|changed| changed.unwrap());
    assert_eq!(transactions(&shell).await, 2);
    let changed: Vec<_> = numbers.clone().map(|number| done(&todo(number))).collect();
    assert_eq!(everything(&repository).await, changed);

    let calls = numbers.map(|number| {
        let removing = async move |it: Arc<PostgresTodoRepository>| {
            let todo = done(&todo(number));
            it.remove(&write_permit(&workspace("mine")), &todo, todo.updated_at()).await.map(drop)
        };
        begin(&repository, removing)
    });
    all(calls.collect()).await.into_iter().for_each(|removed| removed.unwrap());
    assert_eq!(everything(&repository).await, []);
    let counted = "SELECT todos, todo_bytes, last_number FROM todo_heads";
    let head = shell.query_one(counted, &[]).await.unwrap();
    assert_eq!([0, 1, 2].map(|column| head.get::<_, i64>(column)), [0, 0, 3 * 21]);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_group_holds_writes_of_several_workspaces() {
    let (repository, shell) = database().await;
    let calls =
        (1..=AT_ONCE + 6).map(|it| begin_to_add(&repository, todo_of(&format!("w{it}"), it)));
    all(calls.collect()).await.into_iter().for_each(|added| added.unwrap());
    // The first ones found nothing to wait for.
    assert_eq!(transactions(&shell).await, i64::try_from(AT_ONCE).unwrap() + 1);
}

/// In one statement for the first ones of all workspaces, which refuses one and adds the others.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_group_adds_the_todos_of_many_workspaces_together() {
    let (repository, shell) = database().await;
    let minted = |name: &str, number: u64| {
        let id = format!("01a203c6-a4a7-7e4f-8a5b-{number:012x}").parse().unwrap();
        let mut record = TodoRecord { id, ..todo_record(&workspace(name), id) };
        if number.is_multiple_of(2) {
            record.description = Description::try_from("Two litres\nof it").unwrap();
            record.labels = Labels::from_lines(Some("home\nshop")).unwrap();
            record.priority = Priority::Urgent;
            record.completion = Completion::Done { at: record.created_at };
        }
        Todo::restore(record).unwrap()
    };
    let last = minted("w0", 9);
    repository.add(&last).await.unwrap();
    let first: Vec<_> =
        (1..=AT_ONCE).map(|it| begin_to_add(&repository, todo_of(&format!("v{it}"), it))).collect();
    let todos: Vec<_> =
        (0..6).flat_map(|it| [1, 2].map(|number| minted(&format!("w{it}"), number))).collect();
    let calls = todos.iter().map(|todo| begin_to_add(&repository, todo.clone())).collect();
    all(first).await.into_iter().for_each(|added| added.unwrap());
    let answers = all(calls).await;
    for (todo, answer) in todos.iter().zip(answers) {
        let key = todo.workspace();
        let stored = repository.find_in(key, todo.id()).await.unwrap();
        let counted = "SELECT todos FROM todo_heads WHERE workspace = $1";
        let counted = shell.query_one(counted, &[&key.as_str().as_bytes()]).await.unwrap();
        let counted: i64 = counted.get(0);
        if *key == workspace("w0") {
            assert!(
                matches!(answer, Err(InsertError::Behind(id)) if id == last.id()),
                "{answer:?}"
            );
            assert_eq!((stored, counted), (None, 1));
            continue;
        }
        answer.unwrap();
        assert_eq!((stored.as_ref(), counted), (Some(todo), 2));
        for word in ["milk", "litres", "home"] {
            let range = TermRange::of_word(word);
            let found = repository
                .ids_by_term(&read_permit(key), slice::from_ref(&range), None, 9)
                .await
                .unwrap();
            let is_found = found.unwrap().ids.contains(&todo.id());
            assert_eq!(is_found, word == "milk" || todo.completion().is_done(), "{word}");
        }
    }
    let statements = "SELECT count(DISTINCT (xmin::text, cmin::text)) FROM todo_items \
                      WHERE position('w'::bytea IN workspace) > 0 AND id <> $1";
    let statements: i64 = shell.query_one(statements, &[last.id().as_uuid()]).await.unwrap().get(0);
    assert_eq!(statements, 2);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_write_that_fails_fails_alone() {
    let (repository, shell) = database().await;
    let rejects = "\
        CREATE FUNCTION rejects() RETURNS trigger LANGUAGE plpgsql AS $$ \
        BEGIN RAISE SQLSTATE '23514'; END $$; \
        CREATE TRIGGER rejects BEFORE INSERT ON todo_items FOR EACH ROW \
        WHEN (new.id = '00000000-0000-0000-0000-000000000007') EXECUTE FUNCTION rejects()";
    shell.batch_execute(rejects).await.unwrap();
    // The last has an id that is taken.
    let numbers = [1, 2, 3, 7, 4, 5, 2];
    let calls = numbers.map(|number| begin_to_add(&repository, todo(number)));
    let answers = all(calls.into()).await;
    for (number, answer) in numbers.into_iter().zip(answers).take(6) {
        if number == 7 {
            assert!(matches!(answer, Err(InsertError::Storage(StorageError::Unavailable(_)))));
        } else {
            answer.unwrap();
        }
    }
    let stored: Vec<_> = everything(&repository).await.iter().map(Todo::id).collect();
    assert_eq!(stored, [1, 2, 3, 4, 5].map(id));
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_write_that_hangs_does_not_hold_up_other_workspaces() {
    let (repository, shell) = database().await;
    repository.add(&todo_of("locked", 1)).await.unwrap();
    shell.batch_execute("BEGIN; SELECT FROM todo_heads FOR UPDATE").await.unwrap();
    let first = (1..=AT_ONCE).map(|it| begin_to_add(&repository, todo_of(&format!("w{it}"), it)));
    let first: Vec<_> = first.collect();
    // In one group, as the first ones have taken all places.
    let locked = begin_to_add(&repository, todo_of("locked", 2));
    let free = begin_to_add(&repository, todo_of("free", 1));
    all(first).await.into_iter().for_each(|added| added.unwrap());
    soon(free).await.unwrap().unwrap();
    assert!(!locked.is_finished());
    shell.batch_execute("COMMIT").await.unwrap();
    soon(locked).await.unwrap().unwrap();
}

/// A group of several workspaces gives up soon, wherever it waits for a lock. That is no sign that the database
/// answers others than those that hang.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_group_that_is_rolled_back_is_no_answer() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let [shell, row, table] = [
        server.connect(&database).await,
        server.connect(&database).await,
        server.connect(&database).await,
    ];
    let limit = format!("ALTER DATABASE {database} SET statement_timeout = '3s'");
    shell.batch_execute(&limit).await.unwrap();
    let pool = PostgresPool { size: NonZeroUsize::new(2).unwrap(), ..PostgresPool::default() };
    let repository = open_with(&server.url(&database), pool).await;
    for name in ["one", "two"] {
        repository.add(&todo_of(name, 1)).await.unwrap();
    }
    // On all connections: while the table is locked, none can be prepared.
    row.batch_execute("BEGIN; SELECT FROM todo_heads FOR UPDATE").await.unwrap();
    let both = ["one", "two"].map(|name| begin_to_add(&repository, todo_of(name, 2)));
    soon(async { while waiting(&shell).await < 2 {} }).await;
    row.batch_execute("COMMIT").await.unwrap();
    all(both.into()).await.into_iter().for_each(|added| added.unwrap());

    // One that is answered makes room for a group while everything hangs.
    row.batch_execute(
        "BEGIN; SELECT FROM todo_heads WHERE workspace = 'organization:one' FOR UPDATE",
    )
    .await
    .unwrap();
    let answered = begin_to_add(&repository, todo_of("one", 3));
    soon(async { while waiting(&shell).await < 1 {} }).await;
    let lock = tokio::spawn(async move {
        table.batch_execute("BEGIN; LOCK TABLE todo_heads IN SHARE MODE").await.unwrap();
        table
    });
    soon(async { while waiting(&shell).await < 2 {} }).await;
    let hanging = begin_to_add(&repository, todo_of("two", 3));
    soon(async { while waiting(&shell).await < 3 {} }).await;
    let group = ["three", "four"].map(|name| begin_to_add(&repository, todo_of(name, 1)));
    row.batch_execute("COMMIT").await.unwrap();
    soon(answered).await.unwrap().unwrap();
    let table = soon(lock).await.unwrap();
    assert_unavailable(soon(hanging).await.unwrap());

    table.batch_execute("COMMIT").await.unwrap();
    soon(begin_to_add(&repository, todo_of("two", 4))).await.unwrap().unwrap();
    drop(group);
}
