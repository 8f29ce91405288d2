//! Failing statements, and how they are retried.

use std::error::Error as _;
use std::sync::Arc;

use todo_application::domain::Version;
use todo_application::ports::StorageHealth as _;
use todo_tests::postgres;
use tokio::task::JoinSet;

use super::*;

/// Makes the next writes to the table of todos run `code`, in which `attempt` counts from 1.
fn on_write(code: &str) -> String {
    format!(
        "CREATE SEQUENCE attempts; \
         CREATE FUNCTION on_write() RETURNS trigger LANGUAGE plpgsql AS $$ \
         DECLARE attempt bigint := nextval('attempts'); BEGIN {code} RETURN new; END $$; \
         CREATE TRIGGER on_write AFTER INSERT OR UPDATE ON todo_items \
         FOR EACH ROW EXECUTE FUNCTION on_write()"
    )
}

const ATTEMPTS: &str = "SELECT last_value FROM attempts";

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn statements_that_the_database_rolls_back_are_retried_a_few_times() {
    let server = postgres::shared();
    for (state, failures, succeeds) in [
        ("40001", 1, true),
        ("40001", 4, true),
        ("40P01", 4, true),
        ("0A000", 1, true),
        ("40001", 99, false),
    ] {
        let database = server.create_database().await;
        let repository = open(&server.url(&database)).await;
        let shell = server.connect(&database).await;
        let code = format!("IF attempt <= {failures} THEN RAISE SQLSTATE '{state}'; END IF;");
        shell.batch_execute(&on_write(&code)).await.unwrap();

        let answer = repository.add(&todo(1)).await;
        assert_eq!(answer.is_ok(), succeeds, "{state} {failures}: {answer:?}");
        assert_eq!(everything(&repository).await.len(), usize::from(succeeds));
        let attempts: i64 = shell.query_one(ATTEMPTS, &[]).await.unwrap().get(0);
        assert_eq!(attempts, if succeeds { failures + 1 } else { 5 });
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_write_with_an_unknown_outcome_is_not_retried() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    let code = "IF attempt = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;";
    shell.batch_execute(&on_write(code)).await.unwrap();

    assert_unavailable(repository.add(&todo(1)).await);
    let attempts: i64 = shell.query_one(ATTEMPTS, &[]).await.unwrap().get(0);
    assert_eq!(attempts, 1);
    assert_eq!(everything(&repository).await, []);
    repository.add(&todo(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_lost_connection_is_replaced_before_a_reader_notices() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    repository.add(&todo(1)).await.unwrap();
    let shell = server.connect(&database).await;
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'todo-mcp'";
    for _ in 0..20 {
        shell.batch_execute(all).await.unwrap();
        assert_eq!(repository.find_in(&workspace("mine"), id(1)).await.unwrap(), Some(todo(1)));
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_statement_that_times_out_has_no_effect() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    repository.add(&todo(1)).await.unwrap();
    let shell = server.connect(&database).await;
    shell.batch_execute("BEGIN; SELECT * FROM todo_items FOR UPDATE").await.unwrap();

    let cause = assert_unavailable(soon(repository.replace(&done(&todo(1)), Version::FIRST)).await);
    assert!(cause.contains("statement timeout"), "{cause}");
    shell.batch_execute("COMMIT").await.unwrap();
    assert_eq!(everything(&repository).await, [todo(1)]);
    repository.replace(&done(&todo(1)), Version::FIRST).await.unwrap();
}

/// Unless the operator has configured otherwise; but an acknowledged write is always on disk.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn statements_have_a_time_limit_and_commits_are_durable() {
    let server = postgres::shared();
    for (operators, limit) in [("0", "5s"), ("7s", "7s")] {
        let database = server.create_database().await;
        let settings = format!(
            "CREATE TABLE seen (durable text, time_limit text); \
             ALTER DATABASE {database} SET synchronous_commit = off; \
             ALTER DATABASE {database} SET statement_timeout = '{operators}'"
        );
        let shell = server.connect(&database).await;
        shell.batch_execute(&settings).await.unwrap();
        let repository = open(&server.url(&database)).await;
        let look = "INSERT INTO seen \
                    SELECT current_setting('synchronous_commit'), current_setting('statement_timeout');";
        shell.batch_execute(&on_write(look)).await.unwrap();
        repository.add(&todo(1)).await.unwrap();
        let seen = shell.query_one("SELECT durable, time_limit FROM seen", &[]).await.unwrap();
        assert_eq!((seen.get(0), seen.get(1)), ("on", limit));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn many_more_callers_than_connections_are_all_served() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = Arc::new(open(&server.url(&database)).await);
    let mut calls = JoinSet::new();
    for number in 0..500 {
        let repository = Arc::clone(&repository);
        calls.spawn(async move {
            let todo = todo(number);
            repository.add(&todo).await.unwrap();
            assert_eq!(repository.find_in(todo.workspace(), todo.id()).await.unwrap(), Some(todo));
        });
    }
    soon(calls.join_all()).await;
    assert_eq!(everything(&repository).await.len(), 500);
    let connections = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND application_name = 'todo-mcp'";
    let shell = server.connect(&database).await;
    let connections: i64 = shell.query_one(connections, &[]).await.unwrap().get(0);
    assert!((1..=8).contains(&connections), "{connections}");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn an_inaccessible_table_is_unavailable_until_it_is_accessible() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    shell.batch_execute("ALTER TABLE todo_items RENAME TO elsewhere").await.unwrap();
    for _ in 0..10 {
        assert_unavailable(repository.find_in(&workspace("mine"), id(1)).await);
        assert_unavailable(repository.add(&todo(1)).await);
    }
    let why = assert_unavailable(repository.check().await);
    assert!(why.contains("relation \"todo_items\" does not exist"), "{why}");

    shell.batch_execute("ALTER TABLE elsewhere RENAME TO todo_items").await.unwrap();
    repository.add(&todo(1)).await.unwrap();
    repository.check().await.unwrap();
}

/// Of a disk that is full, as an example. No other write is needed.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_is_unhealthy_from_a_failed_write_until_writes_succeed() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ \
                BEGIN RAISE 'No space left on device' USING ERRCODE = '53100'; END $$; \
                CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON todo_heads \
                FOR EACH ROW EXECUTE FUNCTION full_disk()";
    shell.batch_execute(full).await.unwrap();
    repository.check().await.unwrap();
    assert_unavailable(repository.add(&todo(1)).await);
    for _ in 0..3 {
        let why = assert_unavailable(repository.check().await);
        assert!(why.contains("No space left on device"), "{why}");
    }
    assert_eq!(everything(&repository).await, []);
    shell.batch_execute("DROP TRIGGER full_disk ON todo_heads").await.unwrap();
    for _ in 0..2 {
        repository.check().await.unwrap();
    }
    assert_eq!(everything(&repository).await, []);
    repository.add(&todo(1)).await.unwrap();
    // What is refused for what it is says nothing of other writes.
    repository.add(&todo(1)).await.unwrap_err();
    let probes = async || {
        let probes = "SELECT last_number FROM todo_heads WHERE workspace = ''";
        shell.query_one(probes, &[]).await.unwrap().get::<_, i64>(0)
    };
    let before = probes().await;
    repository.check().await.unwrap();
    assert_eq!(probes().await, before);
    repository.check().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_row_that_violates_an_invariant_is_reported_as_corrupt() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    repository.add(&done(&todo(1))).await.unwrap();
    repository.add(&todo(2)).await.unwrap();
    let shell = server.connect(&database).await;
    let one = id(1).to_string();
    for (column, damage) in [
        ("title", "title = ''"),
        ("title", "title = E'two\\nlines'"),
        ("description", "description = E'\\x1b'"),
        ("completed_at", "completed_at = -1"),
        ("created_at", "created_at = -1"),
        ("updated_at", "updated_at = 9223372036854775807"),
        ("created_by", "created_by = ''"),
        ("updated_by", "updated_by = E'\\x01'"),
        ("version", "version = 0"),
        ("last changed before it was created", "updated_at = created_at - 1"),
        ("done outside its own lifetime", "completed_at = updated_at + 1"),
    ] {
        let damage = format!("BEGIN; UPDATE todo_items SET {damage} WHERE id = '{one}'; COMMIT");
        shell.batch_execute(&damage).await.unwrap();
        let found = repository.find_in(&workspace("mine"), id(1)).await;
        let listed = repository.list_in(&workspace("mine"), Filter::default(), None, 9).await;
        for error in [found.unwrap_err(), listed.unwrap_err()] {
            assert!(
                matches!(&error, StorageError::Corrupt { id, .. } if *id == one),
                "{damage}: {error:?}"
            );
            let source = error.source().unwrap().to_string();
            assert!(source.contains(column), "{damage}: {source}");
        }
        assert!(repository.find_in(&workspace("mine"), id(2)).await.unwrap().is_some());
        shell
            .batch_execute("TRUNCATE todo_items, todo_heads, todo_terms, todo_changes")
            .await
            .unwrap();
        for todo in [done(&todo(1)), todo(2)] {
            repository.add(&todo).await.unwrap();
        }
    }
}
