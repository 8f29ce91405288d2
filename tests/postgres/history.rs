//! The history of workspaces that several servers write to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use todo_application::domain::{ChangeNumber, Instant, Title, WritePermit};
use todo_application::ports::{
    Direction, Forgotten, HistoryPart, PlannedWrite, Span, TodoHistory as _, TodoRepository as _,
    TodoWrite, WriteRefusal, WriteSet, WriteSetError, Written,
};
use todo_tests::postgres;
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::Client;

use super::*;

const HOUR: i64 = 60 * 60 * 1000;

fn permit(name: &str) -> WritePermit {
    write_permit(&workspace(name)).remembering(true)
}

fn millis(millis: i64) -> Instant {
    Instant::from_unix_millis(millis).unwrap()
}

fn number(number: usize) -> ChangeNumber {
    ChangeNumber::new(i64::try_from(number).unwrap()).unwrap()
}

/// A todo as a server creates it whose clock goes this much before or after.
fn todo_at(name: &str, number: u64, shift: i64) -> Todo {
    let record = todo_record(&workspace(name), id(number));
    let at = millis(record.created_at.as_unix_millis() + shift);
    Todo::restore(TodoRecord { created_at: at, updated_at: at, ..record }).unwrap()
}

fn renamed(todo: &Todo, title: &str) -> Todo {
    let record = todo.record().clone();
    let title = Title::try_from(title).unwrap();
    Todo::restore(TodoRecord { title, version: record.version.next(), ..record }).unwrap()
}

fn insert(todo: Todo) -> TodoWrite {
    TodoWrite::Insert { todo, request: None }
}

fn together(writes: impl IntoIterator<Item = TodoWrite>) -> WriteSet {
    let writes = writes.into_iter().map(|write| PlannedWrite { write, undoes: None });
    WriteSet {
        writes: writes.collect(),
        at: millis(1_795_340_000_007),
        is_batch: true,
        call: None,
        is_trial: false,
    }
}

/// Two servers on a new database, and a client of it.
async fn servers() -> ([Arc<PostgresTodoRepository>; 2], Client) {
    let server = postgres::shared();
    let database = server.create_database().await;
    let url = server.url(&database);
    ([Arc::new(open(&url).await), Arc::new(open(&url).await)], server.connect(&database).await)
}

async fn after(
    repository: &PostgresTodoRepository,
    name: &str,
    last: ChangeNumber,
    limit: usize,
) -> HistoryPart {
    let direction = Direction::On(last);
    let span = Span { direction, todo: None, deletions: false, limit };
    repository.changes(&read_permit(&workspace(name)), &span).await.unwrap()
}

/// Asserts that the head of each workspace says what its todos and changes say, and that no number is missing among
/// those that are remembered.
async fn assert_heads_are_right(shell: &Client) {
    const WRONG: &str = "\
        SELECT head::text FROM todo_heads AS head \
        WHERE todos <> (SELECT count(*) FROM todo_items AS it WHERE it.workspace = head.workspace) \
           OR (history_bytes, deleted, last_number - forgotten) <> ( \
                  SELECT coalesce(sum(bytes), 0)::bigint, \
                         count(*) FILTER (WHERE action = 3 AND undone_by IS NULL), count(*) \
                  FROM todo_changes AS it WHERE it.workspace = head.workspace) \
           OR EXISTS (SELECT 1 FROM todo_changes AS it WHERE it.workspace = head.workspace \
                      AND (number <= forgotten OR number > last_number))";
    let wrong = shell.query(WRONG, &[]).await.unwrap();
    let wrong: Vec<String> = wrong.iter().map(|row| row.get(0)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// Reads on from the last change that it has seen, until it has seen so many.
fn follow(repository: &Arc<PostgresTodoRepository>, count: usize, limit: usize) -> JoinHandle<()> {
    let repository = Arc::clone(repository);
    tokio::spawn(async move {
        let mut last = ChangeNumber::ZERO;
        while last < number(count) {
            let HistoryPart { changes, latest, forgotten } =
                after(&repository, "mine", last, limit).await;
            assert_eq!(forgotten, ChangeNumber::ZERO);
            for change in &changes {
                assert_eq!(change.number, last.plus(1));
                last = change.number;
            }
            // All that there is was read, unless the page is full.
            assert!(last == latest || changes.len() == limit, "{last:?} {latest:?}");
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_reader_who_goes_on_misses_no_change_of_any_server() {
    const WRITERS: u64 = 8;
    const ROUNDS: u64 = 12;
    // Of a round: two single writes, and a set of four.
    let all = usize::try_from(WRITERS * ROUNDS * 6).unwrap();
    let (servers, shell) = servers().await;
    let readers: Vec<_> = servers
        .iter()
        .flat_map(|server| [1, 7, 1_000].map(|limit| follow(server, all, limit)))
        .collect();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let server = Arc::clone(&servers[usize::from(writer % 2 == 1)]);
        let shift = if writer % 2 == 1 { HOUR } else { 0 };
        writers.spawn(async move {
            let permit = permit("mine");
            for round in 0..ROUNDS {
                let todo = |it: u64| todo_at("mine", 1 + it + 3 * (round + ROUNDS * writer), shift);
                let (one, two, three) = (todo(0), todo(1), todo(2));
                server.insert(&permit, &one).await.unwrap();
                server.save(&permit, &one, &renamed(&one, "Buy bread")).await.unwrap();
                let set = together([
                    insert(two.clone()),
                    TodoWrite::Save { before: two.clone(), after: renamed(&two, "Buy bread") },
                    insert(three),
                    TodoWrite::Remove(renamed(&one, "Buy bread")),
                ]);
                server.write_all(&permit, &set).await.unwrap();
            }
        });
    }
    soon(writers.join_all()).await;
    for reader in readers {
        soon(reader).await.unwrap();
    }
    assert_heads_are_right(&shell).await;
    // The changes of a set follow each other.
    let torn = "SELECT batch FROM todo_changes WHERE batch IS NOT NULL GROUP BY batch \
                HAVING (min(number), max(number), count(*)) <> (batch, batch + 3, 4)";
    assert!(shell.query(torn, &[]).await.unwrap().is_empty());
}

/// With a clock that is an hour behind, so that nothing but the number says that its change is the last.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_transaction_that_is_open_while_many_commit_is_seen() {
    let ([one, other], shell) = servers().await;
    one.insert(&permit("mine"), &todo_at("mine", 1, 0)).await.unwrap();
    let last = after(&other, "mine", ChangeNumber::ZERO, 9).await.latest;
    assert_eq!(last, number(1));

    // What a server writes that is slow.
    let open = "\
        BEGIN; \
        UPDATE todo_heads SET last_number = last_number + 1, todos = todos + 1, \
                              history_bytes = history_bytes + 72 \
        WHERE workspace = 'organization:mine'; \
        INSERT INTO todo_changes (workspace, number, at, action, todo, title, version, subject, bytes) \
        SELECT workspace, last_number, 1795340000007 - 3600000, 1, \
               '00000000-0000-0000-0000-000000000007', 'Buy milk', 1, 'usr_alice', 72 \
        FROM todo_heads WHERE workspace = 'organization:mine'";
    shell.batch_execute(open).await.unwrap();
    for number in 1..=100 {
        other.insert(&permit("yours"), &todo_at("yours", number, HOUR)).await.unwrap();
    }
    let ahead = Arc::clone(&other);
    let later =
        tokio::spawn(async move { ahead.insert(&permit("mine"), &todo_at("mine", 8, HOUR)).await });
    // None of the workspace is numbered past the one that is open.
    for server in [&one, &other] {
        let part = after(server, "mine", last, 9).await;
        assert_eq!((part.latest, part.changes.len()), (last, 0));
        assert_eq!(after(server, "yours", ChangeNumber::ZERO, 1_000).await.changes.len(), 100);
    }
    shell.batch_execute("COMMIT").await.unwrap();
    soon(later).await.unwrap().unwrap();
    let seen = after(&other, "mine", last, 9).await.changes;
    let seen: Vec<_> = seen.iter().map(|it| (it.number, it.change.todo)).collect();
    assert_eq!(seen, [(number(2), id(7)), (number(3), id(8))]);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn writes_that_are_made_together_are_one_transaction() {
    let ([repository, _], shell) = servers().await;
    let todos: Vec<Todo> = (1..=50).map(|number| todo_at("mine", number, 0)).collect();
    let set = together(todos.iter().cloned().map(insert));
    let written = repository.write_all(&permit("mine"), &set).await.unwrap();
    assert_eq!(written, Written::Now(number(1)));
    assert_eq!(everything(&repository).await, todos);
    let written = "SELECT count(DISTINCT it) FROM ( \
                       SELECT xmin::text AS it FROM todo_items UNION ALL \
                       SELECT xmin::text FROM todo_terms UNION ALL \
                       SELECT xmin::text FROM todo_changes UNION ALL \
                       SELECT xmin::text FROM todo_heads) AS its";
    assert_eq!(shell.query_one(written, &[]).await.unwrap().get::<_, i64>(0), 1);
    assert_heads_are_right(&shell).await;
}

/// Two servers change the same todos by single writes and by sets. What is refused has changed nothing, and what fails
/// was preferred by the database to another.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn sets_and_single_writes_of_the_same_todos_exclude_each_other() {
    const TODOS: u64 = 4;
    const WRITES: usize = 40;
    let (servers, shell) = servers().await;
    for number in 1..=TODOS {
        servers[0].insert(&permit("mine"), &todo_at("mine", number, 0)).await.unwrap();
    }
    let mut writers = JoinSet::new();
    for writer in 0..8_usize {
        let server = Arc::clone(&servers[writer % 2]);
        writers.spawn(async move {
            let (permit, mut effects) = (permit("mine"), 0);
            let ids: Vec<_> = (1..=TODOS).map(id).collect();
            for round in 0..WRITES {
                let title = format!("{writer} {round}");
                let found = server.find_all_for_update(&permit, &ids).await.unwrap();
                let is_single = writer % 4 < 2;
                let before = &found[(writer + round) % found.len()];
                if is_single {
                    let saved = server.save(&permit, before, &renamed(before, &title)).await;
                    effects += usize::from(saved.is_ok());
                    continue;
                }
                let save = |before: &Todo| TodoWrite::Save {
                    before: before.clone(),
                    after: renamed(before, &title),
                };
                let set = together(found.iter().rev().map(save));
                match server.write_all(&permit, &set).await {
                    Ok(_) => effects += set.writes.len(),
                    Err(WriteSetError::Refused { refusal: WriteRefusal::Stale, .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            effects
        });
    }
    let effects: usize = soon(writers.join_all()).await.into_iter().sum();
    let part = after(&servers[1], "mine", ChangeNumber::ZERO, 10_000).await;
    assert_eq!(part.latest, number(effects + usize::try_from(TODOS).unwrap()));
    for todo in everything(&servers[0]).await {
        let versions = part.changes.iter().filter(|it| it.change.todo == todo.id());
        let versions: Vec<i64> = versions.map(|it| it.change.version.as_i64()).collect();
        assert!((1..=todo.version().as_i64()).eq(versions));
    }
    assert_heads_are_right(&shell).await;
}

/// Forgets everything in all workspaces, and returns how many changes that were.
async fn forget_all(repository: &PostgresTodoRepository) -> u64 {
    let (mut last, mut all) = (None, 0);
    loop {
        let Forgotten { changes, after } =
            repository.forget(&operator(), Instant::MAX, last.as_ref()).await.unwrap();
        if changes == 0 && after.is_none() {
            return all;
        }
        (last, all) = (after, all + changes);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn several_servers_forget_while_others_write() {
    let (servers, shell) = servers().await;
    // More than one step removes, in some of the workspaces.
    for (name, count) in [("a", 1_200), ("b", 1), ("c", 2_500)] {
        let todos: Vec<_> = (1..=count).map(|number| todo_at(name, number, 0)).collect();
        for todos in todos.chunks(500) {
            let set = together(todos.iter().cloned().map(insert));
            servers[0].write_all(&permit(name), &set).await.unwrap();
        }
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for (writer, name) in [(0, "a"), (1, "c")] {
        let (server, is_over) = (Arc::clone(&servers[writer]), Arc::clone(&is_over));
        writers.spawn(async move {
            let mut number = 10_000;
            while !is_over.load(Ordering::Relaxed) {
                let todo = todo_at(name, number, 0);
                server.insert(&permit(name), &todo).await.unwrap();
                server.remove(&permit(name), &todo, todo.updated_at()).await.unwrap();
                number += 1;
            }
            2 * (number - 10_000)
        });
    }
    let forgetting = servers.each_ref().map(|server| {
        let server = Arc::clone(server);
        tokio::spawn(async move { forget_all(&server).await })
    });
    let mut forgotten = 0;
    for removed in forgetting {
        forgotten += soon(removed).await.unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let written: u64 = soon(writers.join_all()).await.into_iter().sum();
    assert_heads_are_right(&shell).await;
    forgotten += forget_all(&servers[0]).await;
    assert_eq!(forgotten, 1_200 + 1 + 2_500 + written);
    let left = "SELECT count(*) FROM todo_changes";
    assert_eq!(shell.query_one(left, &[]).await.unwrap().get::<_, i64>(0), 0);
    assert_heads_are_right(&shell).await;
}

/// A workspace that is being written to for long is left for the next time.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn forgetting_does_not_wait_for_a_workspace() {
    let ([repository, _], shell) = servers().await;
    for name in ["a", "b"] {
        repository.insert(&permit(name), &todo_at(name, 1, 0)).await.unwrap();
    }
    let lock = "BEGIN; SELECT FROM todo_heads WHERE workspace = 'organization:a' FOR UPDATE";
    shell.batch_execute(lock).await.unwrap();
    assert_eq!(soon(forget_all(&repository)).await, 1);
    shell.batch_execute("COMMIT").await.unwrap();
    assert_eq!(soon(forget_all(&repository)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn an_erased_workspace_leaves_no_row() {
    let (servers, shell) = servers().await;
    for name in ["mine", "yours"] {
        let todos = (1..=3).map(|number| todo_at(name, number, 0));
        let set = together(todos.map(insert));
        servers[0].write_all(&permit(name), &set).await.unwrap();
    }
    // A concurrent write is stored before the erasure, or begins a new history.
    let (server, mine) = (Arc::clone(&servers[1]), workspace("mine"));
    let writing = tokio::spawn(async move {
        for number in 100..140 {
            let todo = todo_at("mine", number, 0);
            server.insert(&permit("mine"), &todo).await.unwrap();
        }
    });
    let erased = servers[0].erase(&operator(), &mine).await.unwrap();
    assert!(erased.todos >= 3 && erased.changes == erased.todos, "{erased:?}");
    soon(writing).await.unwrap();
    assert_heads_are_right(&shell).await;
    servers[0].erase(&operator(), &mine).await.unwrap();
    let mut keys = BTreeSet::new();
    for table in ["todo_items", "todo_terms", "todo_changes", "creations", "todo_heads"] {
        let sql = format!("SELECT DISTINCT convert_from(workspace, 'UTF8') FROM {table}");
        let rows = shell.query(&sql, &[]).await.unwrap();
        keys.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    assert_eq!(keys, BTreeSet::from(["organization:yours".to_owned()]));
}
