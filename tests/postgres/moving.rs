//! `todo-mcp export`, `import` and `backup`.

use std::num::NonZeroUsize;

use serde_json::json;
use todo_adapter_storage::PostgresSnapshot;
use todo_tests::issuer::{RESOURCE_ID, TestIssuer};
use todo_tests::postgres::{self, spread};

use todo_application::domain::{Todo, TodoId};
use todo_application::ports::{Loaded, TodoLoader as _, TodoSnapshot as _};
use todo_tests::head::{Head, head};
use todo_tests::{operator, todo_record, workspace};

use crate::installation::Installation;
use crate::{id, open, soon};

fn on(url: &str) -> Installation {
    Installation::new().with("DATABASE_URL", url)
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn todos_move_from_a_running_server_to_a_file_and_back_unchanged() {
    let server = postgres::shared();
    let issuer = TestIssuer::start().await;
    let installation = on(&server.fresh().await)
        .with("SCALEKIT_ENVIRONMENT_URL", issuer.url())
        .with("SCALEKIT_RESOURCE_ID", RESOURCE_ID);
    let serving = installation.serve().await;
    for (subject, organization) in [("usr_1", Some("org_1")), ("usr_2", None), ("usr_é", None)] {
        let claims = issuer.claims(subject, organization, "todo:read todo:write");
        let caller = serving.bearer(&issuer.sign(&claims));
        let id = caller.create("Käse \"kaufen\" 🧀").await;
        let change = json!({ "todo_id": id, "completed": true, "description": "two\nlitres" });
        caller.call("update_todo", change).await.structured();
        caller.create("Buy milk").await;
    }
    let exported = installation.run(&["export"]).await.with_code(0);
    assert_eq!(exported.stderr, "Exported 6 todos.\n");

    let file = Installation::new();
    let said = file.run_reading(&["import"], &exported.stdout).await.with_code(0);
    assert_eq!(said.stderr, "Imported 6 todos.\n");
    let from_file = file.run(&["export"]).await.with_code(0);
    assert_eq!(from_file.stdout, exported.stdout);

    let other = on(&server.fresh_and_spread().await);
    let again = [("Imported 6 todos.\n"), ("Imported 0 todos; 6 already existed.\n")];
    for expected in again {
        let said = other.run_reading(&["import"], &from_file.stdout).await.with_code(0);
        assert_eq!(said.stderr, expected);
    }
    assert_eq!(other.run(&["export"]).await.with_code(0).stdout, exported.stdout);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn users_of_a_running_server_see_imported_todos() {
    let server = postgres::shared();
    let from = Installation::new().with("TODO_SHARING", "everyone");
    let id = from.serve().await.caller().await.create("Buy milk").await;
    let exported = from.run(&["export"]).await.with_code(0);

    let to = on(&server.fresh().await).with("TODO_SHARING", "everyone");
    let serving = to.serve().await;
    to.run_reading(&["import"], &exported.stdout).await.with_code(0);
    let read = serving.caller().await.call("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(read.structured()["todo"]["title"], "Buy milk");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_of_another_schema_version_is_not_exported() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let installation = on(&server.url(&database));
    let said = installation.run(&["export"]).await.with_code(69);
    assert!(said.stderr.contains("has schema 0"), "{}", said.stderr);
    assert!(said.stderr.contains("`todo-mcp migrate`"), "{}", said.stderr);

    installation.run(&["migrate"]).await.with_code(0);
    let newer = "INSERT INTO todo_mcp_migrations (number) VALUES (99)";
    server.connect(&database).await.batch_execute(newer).await.unwrap();
    let said = installation.run(&["export"]).await.with_code(69);
    assert!(said.stderr.contains("use a newer todo-mcp"), "{}", said.stderr);
}

/// Also of todos that already exist, which count once.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn loaded_todos_are_counted_in_the_heads_of_their_workspaces() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let (repository, shell) = (open(&server.url(&database)).await, server.connect(&database).await);
    let minted = "01a203c6-a4a7-7e4f-8a5b-6c7d8e9f0a1b".parse::<TodoId>().unwrap();
    let record = |name: &str, id| todo_record(&workspace(name), id);
    let todos = [record("z", minted), record("a", id(1)), record("z", id(2)), record("z", id(2))]
        .map(|record| Todo::restore(record).unwrap());
    // At first none is taken, then some are, then all.
    for todos in [&todos[..2], &todos, &todos] {
        repository.load(&operator(), todos.to_vec(), None).await.unwrap();
    }
    let title = i64::try_from(todos[0].title().as_str().len()).unwrap();
    let bytes = |todos| todos * title;
    let expected =
        |todos, last_id| Head { todos, bytes: bytes(todos), last_change: todos, last_id };
    let minted = Some(*minted.as_uuid());
    assert_eq!(head(&shell, &workspace("z")).await, Some(expected(2, minted)));
    assert_eq!(head(&shell, &workspace("a")).await, Some(expected(1, None)));
}

/// Terms that are left of a deleted todo do no harm.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_todo_that_was_deleted_by_hand_can_be_loaded() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let (repository, shell) = (open(&server.url(&database)).await, server.connect(&database).await);
    let todos = [1, 2].map(|it| Todo::restore(todo_record(&workspace("mine"), id(it))).unwrap());
    for _ in 0..2 {
        let loaded = repository.load(&operator(), todos.to_vec(), None).await.unwrap();
        assert_eq!(loaded, [Loaded::Added; 2]);
        shell.batch_execute("DELETE FROM todo_items").await.unwrap();
    }
}

/// On Citus a page ends with a workspace, wherever the heads say that there are enough todos.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn an_export_from_a_cluster_is_complete() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let (repository, shell) = (open(&server.url(&database)).await, server.connect(&database).await);
    let counts = [1, 2, 3, 4, 0, 7, 1, 1, 9, 0, 2].into_iter().zip('a'..);
    let todos: Vec<_> = counts
        .flat_map(|(count, name)| (0..count).map(move |number| (name, number)))
        .map(|(name, number)| todo_record(&workspace(&name.to_string()), id(number)))
        .map(|record| Todo::restore(record).unwrap())
        .collect();
    repository.load(&operator(), todos.clone(), None).await.unwrap();
    spread::pretend_citus(&shell).await;
    // Right, and wrong in all ways.
    for heads in ["todos", "0", "2", "100", "todos + 1 - 2 * (todos % 2)"] {
        let heads = format!("UPDATE todo_heads SET todos = {heads}");
        shell.batch_execute(&heads).await.unwrap();
        for limit in [1, 2, 3, 4, 100].map(|limit| NonZeroUsize::new(limit).unwrap()) {
            let url = server.url(&database).parse().unwrap();
            let mut snapshot = PostgresSnapshot::open(&url).await.unwrap();
            let mut exported = Vec::new();
            loop {
                let page = snapshot.next_page(&operator(), limit).await.unwrap();
                if page.is_empty() {
                    break;
                }
                assert!(page.len() <= limit.get());
                exported.extend(page);
            }
            assert_eq!(exported, todos, "{heads}, {limit}");
        }
    }
}

/// The time limit of a request is too short for an export.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn an_export_has_no_statement_timeout() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let installation = on(&server.url(&database));
    installation.run(&["migrate"]).await.with_code(0);
    let shell = server.connect(&database).await;
    let limit = format!("ALTER DATABASE {database} SET statement_timeout = '2s'");
    shell.batch_execute(&limit).await.unwrap();
    shell.batch_execute("BEGIN; LOCK TABLE todo_items").await.unwrap();
    let export = installation.spawn(&["export"]);
    // Of another session: in a transaction, `pg_stat_activity` does not change.
    let observer = server.connect(&database).await;
    let outwaits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() \
                    AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > '2.5 s'";
    soon(async { while observer.query(outwaits, &[]).await.unwrap().is_empty() {} }).await;
    shell.batch_execute("COMMIT").await.unwrap();
    let exported = export.ended().await.with_code(0);
    assert_eq!(exported.stdout.lines().count(), 1);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn backups_are_left_to_the_tools_of_postgresql() {
    let server = postgres::shared();
    let installation = on(&server.url("postgres"));
    let said = installation.run(&["backup", "copy.db"]).await.with_code(64);
    assert!(said.stderr.contains("back it up with pg_dump"), "{}", said.stderr);
    let said = installation.run(&["restore", "copy.db"]).await.with_code(64);
    assert!(said.stderr.contains("restore it with pg_restore"), "{}", said.stderr);
}
