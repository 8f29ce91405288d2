//! What is remembered moves with the todos.

use todo_application::domain::{Change, ChangeNumber};
use todo_application::ports::{
    ChangeRef, Direction, PlannedWrite, Span, TodoHistory, TodoRepository, TodoWrite, WriteSet,
};
use todo_tests::{read_permit, write_permit};

use super::*;

async fn exported_with_history(mut snapshot: impl TodoSnapshot) -> String {
    let mut bytes = Vec::new();
    export(&operator(), &mut snapshot, &mut bytes, true, |_| ()).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

fn at(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

fn next(todo: &Todo, title: &str) -> Todo {
    let record = todo.record().clone();
    let title = Title::try_from(title).unwrap();
    Todo::restore(TodoRecord { title, version: record.version.next(), ..record }).unwrap()
}

/// Every kind of change in two lists, one of which began before changes were remembered.
async fn store_with_history() -> MemoryTodoRepository {
    let store = MemoryTodoRepository::default();
    let unusual = |number: u8| {
        let (due, priority) =
            (Some(due("2026-12-24T17:30", Some("Europe/Berlin"))), Priority::High);
        let labels = Labels::from_lines(Some("Küche\nzwei")).unwrap();
        let record = todo_record(&workspace("mine"), TodoId::from_bytes([number; 16]));
        let description = Description::try_from("two\n\"lines\"").unwrap();
        Todo::restore(TodoRecord { due, priority, labels, description, ..record }).unwrap()
    };
    let [first, second, third] = [1, 2, 3].map(unusual);
    store.insert(&write_permit(&workspace("mine")), &first).await.unwrap();
    let permit = write_permit(&workspace("mine")).remembering(true);
    store.insert(&permit, &second).await.unwrap();
    store.save(&permit, &second, &next(&second, "renamed")).await.unwrap();
    store.remove(&permit, &first, at(7)).await.unwrap();
    let deletion = ChangeNumber::ZERO.plus(4);
    let planned = |write, undoes| PlannedWrite { write, undoes };
    let writes = vec![
        planned(TodoWrite::Restore(next(&first, "Buy milk")), Some(deletion)),
        planned(TodoWrite::Insert { todo: third.clone(), request: None }, None),
    ];
    let set = WriteSet { writes, at: at(9), is_batch: true, call: None, is_trial: false };
    store.write_all(&permit, &set).await.unwrap();
    store.remove(&permit, &third, at(11)).await.unwrap();

    let yours = write_permit(&workspace("yours")).remembering(true);
    let other = todo_record(&workspace("yours"), TodoId::from_bytes([9; 16]));
    store.insert(&yours, &Todo::restore(other).unwrap()).await.unwrap();
    store
}

/// "Lossless", and importing it again adds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_survives_the_way_through_sqlite() {
    let text = exported_with_history(store_with_history().await.snapshot()).await;
    assert!(
        text.starts_with(r#"{"format":"todo-mcp","version":3,"todos":3,"changes":7}"#),
        "{text}"
    );
    let place = Place::new();
    let sqlite = SqliteTodoLoader::open(&place.file()).unwrap();
    for round in 0..2_u64 {
        let (tally, outcome) = imported(&text, &sqlite).await;
        outcome.unwrap();
        let expected = if round == 0 { (7, 0, 0) } else { (0, 7, 0) };
        assert_eq!((tally.changes.added, tally.changes.same, tally.changes.left_out), expected);
    }
    drop(sqlite);
    let snapshot = SqliteSnapshot::open(&place.file()).unwrap();
    assert_eq!(exported_with_history(snapshot).await, text);
    let memory = MemoryTodoRepository::default();
    imported(&text, &memory).await.1.unwrap();
    assert_eq!(exported_with_history(memory.snapshot()).await, text);
    goes_on(&SqliteTodoRepository::open(&place.file()).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_history_survives_the_way_through_postgres() {
    let text = exported_with_history(store_with_history().await.snapshot()).await;
    for url in [
        todo_tests::postgres::shared().fresh().await,
        todo_tests::postgres::shared().fresh_and_spread().await,
    ] {
        let url = url.parse().unwrap();
        let store = PostgresTodoRepository::open(&url).await.unwrap();
        for _ in 0..2 {
            imported(&text, &store).await.1.unwrap();
        }
        let snapshot = PostgresSnapshot::open(&url).await.unwrap();
        assert_eq!(exported_with_history(snapshot).await, text);
        goes_on(&store).await;
    }
}

/// More than are stored by one statement, some of which have no todo and so no head before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn histories_of_many_lists_survive_the_way_through_postgres() {
    let memory = MemoryTodoRepository::default();
    for number in 0..600_u16 {
        let list = workspace(&format!("list {number:03}"));
        let permit = write_permit(&list).remembering(true);
        let id = TodoId::from_bytes(u128::from(number).to_be_bytes());
        let todo = Todo::restore(todo_record(&list, id)).unwrap();
        memory.insert(&permit, &todo).await.unwrap();
        if number % 3 == 0 {
            memory.remove(&permit, &todo, at(i64::from(number))).await.unwrap();
        }
    }
    let text = exported_with_history(memory.snapshot()).await;
    for url in [
        todo_tests::postgres::shared().fresh().await,
        todo_tests::postgres::shared().fresh_and_spread().await,
    ] {
        let url = url.parse().unwrap();
        let store = PostgresTodoRepository::open(&url).await.unwrap();
        for expected in [(800, 0, 0), (0, 800, 0)] {
            let (tally, outcome) = imported(&text, &store).await;
            outcome.unwrap();
            let changes = tally.changes;
            assert_eq!((changes.added, changes.same, changes.left_out), expected);
        }
        let snapshot = PostgresSnapshot::open(&url).await.unwrap();
        assert_eq!(exported_with_history(snapshot).await, text);
    }
}

/// A later change has the next number, and what was imported can be found.
async fn goes_on(store: &(impl TodoRepository + TodoHistory)) {
    let mine = workspace("mine");
    let permit = write_permit(&mine).remembering(true);
    let number = |number| ChangeNumber::ZERO.plus(number);
    let batch = store.find_changes(&permit, ChangeRef::Batch(number(5))).await.unwrap();
    assert_eq!(batch.len(), 2);
    let record = todo_record(&mine, TodoId::from_bytes([8; 16]));
    let todo = Todo::restore(record).unwrap();
    store.insert(&permit, &todo).await.unwrap();
    let direction = Direction::On(number(7));
    let span = Span { direction, todo: None, deletions: false, limit: 9 };
    let part = store.changes(&read_permit(&mine), &span).await.unwrap();
    assert_eq!((part.latest, part.forgotten), (number(8), number(1)));
    let changes: Vec<_> = part.changes.iter().map(|it| &it.change).collect();
    assert_eq!(changes, [&Change::created(&permit, &todo)]);
}

/// A list with a history of its own keeps it, also where that of the file is longer than a batch.
#[tokio::test]
async fn a_history_of_its_own_is_kept() {
    let store = store_with_history().await;
    let permit = write_permit(&workspace("mine")).remembering(true);
    for number in 0..1_100_u128 {
        let id = TodoId::from_bytes((number + 100).to_be_bytes());
        let todo = Todo::restore(todo_record(&workspace("mine"), id)).unwrap();
        store.insert(&permit, &todo).await.unwrap();
    }
    let text = exported_with_history(store.snapshot()).await;
    keeps_its_own_history(&MemoryTodoRepository::default(), &text).await;
}

#[tokio::test]
async fn an_incomplete_history_is_noticed() {
    let text = exported_with_history(store_with_history().await.snapshot()).await;
    let cut = text.lines().take(7).fold(String::new(), |text, line| text + line + "\n");
    let (_, outcome) = imported(&cut, &MemoryTodoRepository::default()).await;
    assert!(
        matches!(outcome, Err(ImportError::IncompleteHistory { announced: 7, .. })),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_history_of_its_own_is_kept_by_postgres() {
    let text = exported_with_history(store_with_history().await.snapshot()).await;
    for url in [
        todo_tests::postgres::shared().fresh().await,
        todo_tests::postgres::shared().fresh_and_spread().await,
    ] {
        let store = PostgresTodoRepository::open(&url.parse().unwrap()).await.unwrap();
        keeps_its_own_history(&store, &text).await;
    }
}

/// `text` has changes of two lists.
async fn keeps_its_own_history(
    store: &(impl TodoRepository + TodoHistory + TodoLoader),
    text: &str,
) {
    let permit = write_permit(&workspace("mine")).remembering(true);
    let own = Todo::restore(todo_record(&workspace("mine"), TodoId::from_bytes([5; 16]))).unwrap();
    store.insert(&permit, &own).await.unwrap();
    let (tally, outcome) = imported(text, store).await;
    outcome.unwrap();
    let of_mine = text.lines().filter(|line| line.contains("\"change\"")).count() as u64 - 1;
    assert_eq!((tally.changes.added, tally.changes.left_out), (1, of_mine));
    let found = store.find_changes(&permit, ChangeRef::One(ChangeNumber::ZERO.plus(1))).await;
    assert_eq!(found.unwrap()[0].change.todo, own.id());
}
