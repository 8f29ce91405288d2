//! Databases of earlier schemas, and tables that are spread over machines.

use std::collections::BTreeSet;
use std::slice;

use todo_application::domain::{
    Change, ChangeNumber, Completion, Instant, Priority, Recorded, Term, TermRange, Version,
};
use todo_application::ports::{
    CreationRequest, Direction, HistoryPart, Span, TodoHistory as _, TodoLoader as _,
    TodoRepository as _,
};
use todo_tests::head::{Head, head};
use todo_tests::postgres::{self, spread};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::*;

fn request(key: &str, todo: &Todo) -> CreationRequest {
    let forget_at = Instant::from_unix_millis(todo.created_at().as_unix_millis() + 1).unwrap();
    CreationRequest { key: key.try_into().unwrap(), fingerprint: 1, forget_at }
}

/// Makes every kind of write.
async fn write_everything(repository: &PostgresTodoRepository) {
    let [kept, removed, once] = [101, 102, 103].map(todo);
    repository.add(&kept).await.unwrap();
    repository.add(&removed).await.unwrap();
    repository.replace(&done(&kept), Version::FIRST).await.unwrap();
    assert!(repository.remove_from(removed.workspace(), removed.id(), None).await.unwrap());
    assert_eq!(repository.add_once(&once, &request("k", &once)).await.unwrap(), None);
    assert!(repository.add_once(&todo(104), &request("k", &once)).await.unwrap().is_some());
    let stored = everything(repository).await;
    assert_eq!(stored.iter().filter(|it| (id(101)..id(200)).contains(&it.id())).count(), 2);
}

/// The workspace says the organization of the caller, except for that of everyone.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn remembered_requests_are_migrated_to_their_callers() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    spread::partition(&shell).await;
    let insert = "INSERT INTO creations \
                  VALUES (convert_to($1, 'UTF8'), $2, 'k', 7, gen_random_uuid(), 1, 100)";
    let expected = [
        ("personal:org_1:usr_1", "usr_1", "usr_1\norg_1"),
        ("personal:%3A%2541é:usr:é", "usr:é", "usr:é\n:%41é"),
        ("personal::m2m_1", "m2m_1", "m2m_1"),
        ("organization:o:%3A", "usr_1", "usr_1\no:%3A"),
        ("everyone", "usr_1", "usr_1"),
    ];
    for (workspace, subject, _) in &expected {
        shell.execute(insert, &[workspace, subject]).await.unwrap();
    }
    open(&server.url(&database)).await;
    let caller = "SELECT caller FROM creations WHERE workspace = convert_to($1, 'UTF8')";
    for (workspace, _, caller_key) in expected {
        let found = shell.query_one(caller, &[&workspace]).await.unwrap();
        assert_eq!(found.get::<_, &str>(0), caller_key, "{workspace}");
    }
}

const INSERT: &str = "\
    INSERT INTO todos (workspace, id, title, description, completed_at, created_at, created_by, \
                       updated_at, updated_by, version, open_id, done_id) \
    VALUES (convert_to($1, 'UTF8'), $2, $3, $4, NULL, 1795340000007, 'me', 1795340000007, 'me', 1, \
            $2, NULL)";

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

/// The tables of a database that is migrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Whole,
    Spread,
}

/// Brings an empty database to an earlier schema, whose tables a later one may find partitioned.
async fn lay_out(shell: &Client, schema: i32, layout: Layout) {
    match layout {
        Layout::Whole if schema == 1 => shell.batch_execute(spread::TODOS).await.unwrap(),
        Layout::Whole => {
            let tables = format!("{}; {}", spread::TODOS, spread::CREATIONS);
            shell.batch_execute(&tables).await.unwrap();
        }
        Layout::Spread => {
            spread::partition(shell).await;
            spread::pretend_citus(shell).await;
        }
    }
    let migrations = format!(
        "CREATE TABLE todo_mcp_migrations (number integer PRIMARY KEY); \
         INSERT INTO todo_mcp_migrations SELECT generate_series(1, {schema})"
    );
    shell.batch_execute(&migrations).await.unwrap();
    if schema == 3 {
        let rename = "ALTER TABLE creations RENAME COLUMN created_by TO caller";
        shell.batch_execute(rename).await.unwrap();
    }
}

/// The whole way from each schema, with todos and remembered requests. The heads are counted from the todos
/// that exist; of their ids, those count that were minted here.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_of_an_earlier_schema_is_migrated_with_what_it_holds() {
    let server = postgres::shared();
    let layouts = [Layout::Whole, Layout::Spread];
    for (schema, layout) in [1, 2, 3].into_iter().flat_map(|it| layouts.map(|layout| (it, layout)))
    {
        let database = server.create_database().await;
        let shell = server.connect(&database).await;
        lay_out(&shell, schema, layout).await;
        // Of version 7 at 0x01a203c6a4a7 = 1795340051623, a year and a day later, and of version 4.
        let [minted, ahead, other] = [
            "01a203c6-a4a7-7e4f-8a5b-6c7d8e9f0a1b",
            "01a96221-00a7-7e4f-8a5b-6c7d8e9f0a1b",
            "ff000000-7c3d-4e4f-8a5b-6c7d8e9f0a1b",
        ]
        .map(uuid);
        for (workspace, id, title, description) in [
            ("organization:mine", minted, "Milch für öl", Some("zwei\nLiter – 😀")),
            ("organization:mine", ahead, "b", None),
            ("organization:mine", other, "c", Some("")),
            ("organization:yours", other, "d", None),
        ] {
            shell.execute(INSERT, &[&workspace, &id, &title, &description]).await.unwrap();
        }
        if schema > 1 {
            let caller = if schema == 2 { "usr_alice" } else { "usr_alice\nmine" };
            let insert = "INSERT INTO creations \
                          VALUES ('organization:mine', $1, 'k', 1, gen_random_uuid(), 1, 100)";
            shell.execute(insert, &[&caller]).await.unwrap();
        }
        let url = server.url(&database);
        let repository = open(&url).await;
        let said = format!("schema {schema}, {layout:?}");
        let bytes = i64::try_from("Milch für ölzwei\nLiter – 😀bc".len()).unwrap();
        let expected = Head { todos: 3, bytes, last_change: 3, last_id: Some(minted) };
        assert_eq!(head(&shell, &workspace("mine")).await, Some(expected), "{said}");
        let expected = Head { todos: 1, bytes: 1, last_change: 1, last_id: None };
        assert_eq!(head(&shell, &workspace("yours")).await, Some(expected), "{said}");
        let callers = "SELECT string_agg(caller, ',') FROM creations";
        let callers: Option<String> = shell.query_one(callers, &[]).await.unwrap().get(0);
        assert_eq!(callers.as_deref(), (schema > 1).then_some("usr_alice\nmine"), "{said}");
        assert_eq!(everything(&repository).await.len(), 3, "{said}");
        assert_has_baseline(&repository, "mine").await;
        assert_has_baseline(&repository, "yours").await;
        let permit = read_permit(&workspace("mine"));
        for (word, expected) in [("mil", &[minted][..]), ("ol", &[minted]), ("c", &[other])] {
            let range = TermRange::of_word(word);
            let found = repository
                .ids_by_term(&permit, slice::from_ref(&range), None, 9)
                .await
                .unwrap()
                .unwrap();
            let found: Vec<Uuid> = found.ids.iter().map(|id| *id.as_uuid()).collect();
            assert_eq!(found, expected, "{said}");
        }

        write_everything(&repository).await;
        // A migration that is repeated finds everything done.
        shell.batch_execute("DELETE FROM todo_mcp_migrations").await.unwrap();
        let repository = open(&url).await;
        assert_eq!(everything(&repository).await.len(), 5, "{said}");
        for todo in everything(&repository).await {
            repository.remove_from(todo.workspace(), todo.id(), None).await.unwrap();
        }
        repository.add(&todo(1)).await.unwrap();
        assert_eq!(
            head(&shell, &workspace("mine")).await.map(|head| head.todos),
            Some(1),
            "{said}"
        );
    }
}

/// What takes a database from the current schema back to the one before, from schema 8 on, without what is in the
/// way of adding it again.
const BACK: [&str; 4] = [
    "DROP TABLE todo_changes; \
     ALTER TABLE todo_heads RENAME COLUMN todo_bytes TO text_bytes; \
     ALTER TABLE todo_heads RENAME COLUMN last_number TO last_change; \
     ALTER TABLE todo_heads DROP COLUMN forgotten, DROP COLUMN deleted, DROP COLUMN history_bytes; \
     ALTER TABLE creations DROP COLUMN outcome",
    "DROP TABLE todo_terms; ALTER TABLE todo_heads RENAME COLUMN text_bytes TO bytes",
    "DROP INDEX todos_open_by_due, todos_open_by_priority, todos_open_by_update, \
                todos_done_by_due, todos_done_by_priority, todos_done_by_update",
    "ALTER TABLE todo_items DROP COLUMN due, DROP COLUMN due_zone, DROP COLUMN priority, \
                            DROP COLUMN labels",
];

/// From each schema since there are heads, with todos of several pages and workspaces, of which some were removed.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn what_was_there_before_has_a_baseline() {
    let server = postgres::shared();
    for schema in 4..=7 {
        let database = server.create_database().await;
        let shell = server.connect(&database).await;
        let url = server.url(&database);
        let repository = open(&url).await;
        let many: Vec<_> = (1_001..=3_500).map(todo).collect();
        repository.load(&operator(), many, None).await.unwrap();
        write_everything(&repository).await;
        let other = todo_record(&workspace("yours"), id(7));
        repository.add(&Todo::restore(other).unwrap()).await.unwrap();
        drop(repository);
        let steps = usize::try_from(8 - schema).unwrap();
        shell.batch_execute(&BACK[..steps].join("; ")).await.unwrap();
        let migrations = format!("DELETE FROM todo_mcp_migrations WHERE number > {schema}");
        shell.batch_execute(&migrations).await.unwrap();

        let repository = open(&url).await;
        assert_has_baseline(&repository, "mine").await;
        assert_has_baseline(&repository, "yours").await;
        let counted = "SELECT count(*) FROM todo_heads AS head \
                       WHERE history_bytes = (SELECT sum(bytes) FROM todo_changes AS change \
                                              WHERE change.workspace = head.workspace)";
        let counted: i64 = shell.query_one(counted, &[]).await.unwrap().get(0);
        assert_eq!(counted, 2, "{schema}");
        // What is written now is counted on from the last write, whether that was remembered or not.
        let before = history(&repository, "mine").await;
        let permit = write_permit(&workspace("mine")).remembering(true);
        repository.insert(&permit, &todo(9_000)).await.unwrap();
        let after = history(&repository, "mine").await;
        assert_eq!(after.latest, before.latest.plus(1));
        assert_eq!(after.changes[..before.changes.len()], before.changes);
        assert_eq!(after.changes.last().unwrap().number, after.latest);
    }
}

async fn history(repository: &PostgresTodoRepository, name: &str) -> HistoryPart {
    let direction = Direction::On(ChangeNumber::ZERO);
    let span = Span { direction, todo: None, deletions: false, limit: usize::MAX };
    repository.changes(&read_permit(&workspace(name)), &span).await.unwrap()
}

/// A workspace has a change for each todo, in the order of their ids and nothing else.
async fn assert_has_baseline(repository: &PostgresTodoRepository, name: &str) {
    let todos = repository.list_in(&workspace(name), Filter::default(), None, usize::MAX).await;
    let part = history(repository, name).await;
    let at = part.changes[0].change.at;
    let numbered = (1..).filter_map(ChangeNumber::new);
    let expected: Vec<_> = numbered
        .zip(todos.unwrap())
        .map(|(number, todo)| Recorded {
            number,
            change: Change::baseline(&todo, at),
            batch: None,
            undoes: None,
            undone_by: None,
        })
        .collect();
    assert_eq!(part.changes, expected);
    assert_eq!(part.forgotten, ChangeNumber::ZERO);
    assert!(part.latest >= expected.last().unwrap().number);
}

/// A write that does not change the head fails, whichever server was started first.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_server_of_an_earlier_schema_can_neither_write_nor_read() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let schema_2 = "CREATE TABLE todo_mcp_migrations (number integer PRIMARY KEY); \
                    INSERT INTO todo_mcp_migrations VALUES (1), (2)";
    shell
        .batch_execute(&format!("{}; {}; {schema_2}", spread::TODOS, spread::CREATIONS))
        .await
        .unwrap();
    let statements = [
        INSERT,
        "UPDATE todos SET title = $3, description = $4 \
         WHERE workspace = convert_to($1, 'UTF8') AND id = $2",
        "DELETE FROM todos WHERE workspace = convert_to($1, 'UTF8') AND id = $2 \
         AND title = $3 AND coalesce($4, '') <> 'x'",
        "SELECT title FROM todos WHERE workspace = convert_to($1, 'UTF8') AND id = $2 \
         AND title = $3 AND coalesce($4, '') <> 'x'",
    ];
    // Prepared and used before the migration, as by a server that runs.
    let early = server.connect(&database).await;
    let mut prepared = Vec::new();
    let key = uuid("0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b");
    let parameters: [&(dyn ToSql + Sync); 4] =
        [&"organization:mine", &key, &"Buy milk", &None::<&str>];
    for sql in statements {
        let statement = early.prepare(sql).await.unwrap();
        early.query(&statement, &parameters).await.unwrap();
        prepared.push(statement);
    }
    // A transaction that is open during the migration is waited for, and counted.
    early.batch_execute("BEGIN").await.unwrap();
    early.query(&prepared[0], &parameters).await.unwrap();
    let url = server.url(&database);
    let opening = tokio::spawn(async move { open(&url).await });
    let waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                 AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'";
    soon(async { while shell.query(waits, &[]).await.unwrap().is_empty() {} }).await;
    early.batch_execute("COMMIT").await.unwrap();
    let repository = soon(opening).await.unwrap();
    assert_eq!(head(&shell, &workspace("mine")).await.map(|head| head.todos), Some(1));

    let late = server.connect(&database).await;
    for (sql, statement) in statements.into_iter().zip(&prepared) {
        let refused = early.query(statement, &parameters).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::UNDEFINED_TABLE), "{sql}");
        let refused = late.prepare(sql).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::UNDEFINED_TABLE), "{sql}");
    }
    write_everything(&repository).await;
}

/// It would change no terms, or not all, or remember no changes. So what every write of such a server is a part of fails,
/// and also the write with which it looks whether a failed one was an exception.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_server_of_an_earlier_schema_with_heads_can_not_write() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    open(&server.url(&database)).await.add(&todo(1)).await.unwrap();
    for write in [
        // Schemas 4 to 6, 7 and 8 to 9.
        "INSERT INTO todo_heads (workspace, todos, bytes, last_change) VALUES ('x', 1, 1, 1)",
        "UPDATE todo_heads SET bytes = bytes + 1",
        "INSERT INTO todo_heads (workspace, todos, text_bytes, last_change) VALUES ('x', 1, 1, 1)",
        "UPDATE todo_heads SET last_change = last_change + 1",
        "INSERT INTO todo_heads (workspace, todos, text_bytes, last_number) VALUES ('x', 1, 1, 1)",
        "UPDATE todo_heads SET text_bytes = text_bytes + 1, last_number = last_number + 1",
    ] {
        let refused = shell.batch_execute(write).await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::UNDEFINED_COLUMN), "{write}");
    }
}

/// From schema 8, with terms of words and labels only, and from schema 9, without those of four days.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn terms_of_priorities_and_days_are_added_to_those_of_texts() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let repository = open(&server.url(&database)).await;
    let mut expected = BTreeSet::new();
    for number in 1..=8 {
        let record = todo(number).into_record();
        let due = number.is_multiple_of(2).then(|| todo_tests::due("2026-12-24", None));
        let at = record.created_at;
        let is_done = number.is_multiple_of(4);
        let completion = if is_done { Completion::Done { at } } else { Completion::Open };
        let priority = if number > 4 { Priority::High } else { Priority::Normal };
        let todo = Todo::restore(TodoRecord { due, completion, priority, ..record }).unwrap();
        repository.add(&todo).await.unwrap();
        let of_todo = Term::all_of(&todo).into_iter();
        expected.extend(of_todo.map(|term| (term.as_str().to_owned(), *todo.id().as_uuid())));
    }
    drop(repository);
    let back = "ALTER TABLE todo_heads RENAME COLUMN todo_bytes TO text_bytes";
    // At last as if it had been interrupted.
    for (schema, back, missing) in [(8, back, "+%"), (9, back, "+o2%"), (9, "", "")] {
        let sql = format!(
            "{back}; DELETE FROM todo_mcp_migrations WHERE number > {schema}; \
             DELETE FROM todo_terms WHERE term LIKE '{missing}'"
        );
        shell.batch_execute(&sql).await.unwrap();
        let repository = open(&server.url(&database)).await;
        let stored = shell.query("SELECT term, id FROM todo_terms", &[]).await.unwrap();
        let stored: BTreeSet<_> = stored.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(stored, expected, "{schema}");
        assert_eq!(everything(&repository).await.len(), 8);
    }
}

/// As after a failure on an engine that does not take DDL back.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn repeated_migrations_change_nothing() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let repository = open(&server.url(&database)).await;
    write_everything(&repository).await;
    let (before, stored) = (head(&shell, &workspace("mine")).await, everything(&repository).await);
    let columns = "SELECT string_agg(table_name || column_name, ' ' ORDER BY 1) \
                   FROM information_schema.columns WHERE table_schema = 'public'";
    let columns = async || shell.query_one(columns, &[]).await.unwrap().get::<_, String>(0);
    let tables = columns().await;

    shell.batch_execute("DELETE FROM todo_mcp_migrations").await.unwrap();
    let repository = open(&server.url(&database)).await;
    assert_eq!(columns().await, tables);
    assert_eq!(head(&shell, &workspace("mine")).await, before);
    assert_eq!(everything(&repository).await, stored);
    assert!(repository.add_once(&todo(104), &request("k", &todo(104))).await.unwrap().is_some());
}

/// On a database of schema 1 whose table is distributed, as on one that is not.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn new_tables_are_distributed_as_the_todos_are() {
    let server = postgres::shared();
    for distributed in [true, false] {
        let database = server.create_database().await;
        let shell = server.connect(&database).await;
        spread::pretend_citus(&shell).await;
        shell.batch_execute(spread::TODOS).await.unwrap();
        if distributed {
            let note = "INSERT INTO pg_dist_partition VALUES ('todos', 'h')";
            shell.batch_execute(note).await.unwrap();
        }
        write_everything(&open(&server.url(&database)).await).await;

        let calls = "SELECT name, colocated FROM distributed WHERE was_empty ORDER BY number";
        let calls = shell.query(calls, &[]).await.unwrap();
        let calls: Vec<(String, String)> =
            calls.iter().map(|row| (row.get(0), row.get(1))).collect();
        let expected: &[(&str, &str)] = if distributed { &NEW_TABLES } else { &[] };
        assert!(
            calls.iter().map(|(name, like)| (name.as_str(), like.as_str())).eq(expected.to_vec()),
            "{calls:?}"
        );
    }
}

/// The tables that migrations add to the one of schema 1, and the table that each is distributed as.
const NEW_TABLES: [(&str, &str); 4] = [
    ("creations", "todos"),
    ("todo_heads", "todo_items"),
    ("todo_terms", "todo_items"),
    ("todo_changes", "todo_items"),
];

/// Its tables would be seen nowhere else.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_worker_of_citus_is_not_migrated() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    spread::pretend_citus(&shell).await;
    shell.batch_execute("UPDATE pg_dist_local_group SET groupid = 1").await.unwrap();
    let url = server.url(&database);
    let said = refusal(&url).await;
    for part in ["is a worker of Citus", "`todo-mcp migrate`", "(coordinator.example:5432)"] {
        assert!(said.contains(part), "{said}");
    }
    let tables = "SELECT to_regclass('todo_mcp_migrations') IS NULL";
    assert!(shell.query_one(tables, &[]).await.unwrap().get::<_, bool>(0));

    // It serves what was migrated elsewhere.
    shell.batch_execute("UPDATE pg_dist_local_group SET groupid = 0").await.unwrap();
    write_everything(&open(&url).await).await;
    shell.batch_execute("UPDATE pg_dist_local_group SET groupid = 1").await.unwrap();
    assert_eq!(everything(&open(&url).await).await.len(), 2);
}
