//! Statements that fail, and what is done about it.

use std::error::Error as _;
use std::sync::Arc;

use todo_application::domain::Version;
use todo_application::ports::Readiness as _;
use todo_tests::postgres;
use tokio::task::JoinSet;

use super::*;

/// Has the next writes to the table of todos run `code`, where `attempt` counts them from 1.
fn on_write(code: &str) -> String {
    format!(
        "CREATE SEQUENCE attempts; \
         CREATE FUNCTION on_write() RETURNS trigger LANGUAGE plpgsql AS $$ \
         DECLARE attempt bigint := nextval('attempts'); BEGIN {code} RETURN new; END $$; \
         CREATE TRIGGER on_write AFTER INSERT OR UPDATE ON todos \
         FOR EACH ROW EXECUTE FUNCTION on_write()"
    )
}

const ATTEMPTS: &str = "SELECT last_value FROM attempts";

#[tokio::test]
async fn what_the_database_takes_back_is_sent_again_but_not_for_ever() {
    let Some(server) = postgres::shared() else { return };
    for (state, failures, succeeds) in
        [("40001", 1, true), ("40001", 4, true), ("40P01", 4, true), ("40001", 99, false)]
    {
        let database = server.create_database().await;
        let repository = open(&server.url(&database)).await;
        let shell = server.connect(&database).await;
        let code = format!("IF attempt <= {failures} THEN RAISE SQLSTATE '{state}'; END IF;");
        shell.batch_execute(&on_write(&code)).await.unwrap();

        let answer = repository.insert(&todo(1)).await;
        assert_eq!(answer.is_ok(), succeeds, "{state} {failures}: {answer:?}");
        assert_eq!(everything(&repository).await.len(), usize::from(succeeds));
        let attempts: i64 = shell.query_one(ATTEMPTS, &[]).await.unwrap().get(0);
        assert_eq!(attempts, if succeeds { failures + 1 } else { 5 });
    }
}

#[tokio::test]
async fn a_write_whose_fate_is_unknown_is_not_sent_again() {
    let Some(server) = postgres::shared() else { return };
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    let code = "IF attempt = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;";
    shell.batch_execute(&on_write(code)).await.unwrap();

    assert_unavailable(repository.insert(&todo(1)).await);
    let attempts: i64 = shell.query_one(ATTEMPTS, &[]).await.unwrap().get(0);
    assert_eq!(attempts, 1);
    assert_eq!(everything(&repository).await, []);
    repository.insert(&todo(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_replaced_before_a_reader_notices() {
    let Some(server) = postgres::shared() else { return };
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    repository.insert(&todo(1)).await.unwrap();
    let shell = server.connect(&database).await;
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'todo-mcp'";
    for _ in 0..20 {
        shell.batch_execute(all).await.unwrap();
        assert_eq!(repository.find(&workspace("mine"), id(1)).await.unwrap(), Some(todo(1)));
    }
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_given_up_and_has_no_effect() {
    let Some(server) = postgres::shared() else { return };
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    repository.insert(&todo(1)).await.unwrap();
    let shell = server.connect(&database).await;
    shell.batch_execute("BEGIN; SELECT * FROM todos FOR UPDATE").await.unwrap();

    let cause = assert_unavailable(soon(repository.save(&done(&todo(1)), Version::FIRST)).await);
    assert!(cause.contains("statement timeout"), "{cause}");
    shell.batch_execute("COMMIT").await.unwrap();
    assert_eq!(everything(&repository).await, [todo(1)]);
    repository.save(&done(&todo(1)), Version::FIRST).await.unwrap();
}

/// As far as the operator has not said otherwise; but a write that is answered is on disk.
#[tokio::test]
async fn statements_have_a_time_limit_and_commits_are_durable() {
    let Some(server) = postgres::shared() else { return };
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
        repository.insert(&todo(1)).await.unwrap();
        let seen = shell.query_one("SELECT durable, time_limit FROM seen", &[]).await.unwrap();
        assert_eq!((seen.get(0), seen.get(1)), ("on", limit));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_more_callers_than_connections_are_all_answered() {
    let Some(server) = postgres::shared() else { return };
    let database = server.create_database().await;
    let repository = Arc::new(open(&server.url(&database)).await);
    let mut calls = JoinSet::new();
    for number in 0..500 {
        let repository = Arc::clone(&repository);
        calls.spawn(async move {
            let todo = todo(number);
            repository.insert(&todo).await.unwrap();
            assert_eq!(repository.find(todo.workspace(), todo.id()).await.unwrap(), Some(todo));
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
async fn a_table_that_cannot_be_reached_is_unavailable_until_it_can() {
    let Some(server) = postgres::shared() else { return };
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    shell.batch_execute("ALTER TABLE todos RENAME TO elsewhere").await.unwrap();
    for _ in 0..10 {
        assert_unavailable(repository.find(&workspace("mine"), id(1)).await);
        assert_unavailable(repository.insert(&todo(1)).await);
    }
    let why = repository.ready().await.unwrap_err().to_string();
    assert!(why.contains("relation \"todos\" does not exist"), "{why}");

    shell.batch_execute("ALTER TABLE elsewhere RENAME TO todos").await.unwrap();
    repository.insert(&todo(1)).await.unwrap();
    assert_eq!(repository.ready().await, Ok(()));
}

#[tokio::test]
async fn a_row_that_this_program_cannot_have_written_is_corrupt_and_named() {
    let Some(server) = postgres::shared() else { return };
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    repository.insert(&done(&todo(1))).await.unwrap();
    repository.insert(&todo(2)).await.unwrap();
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
        ("last changed before it was made", "updated_at = created_at - 1"),
        ("done outside its own lifetime", "completed_at = updated_at + 1"),
    ] {
        let damage = format!("BEGIN; UPDATE todos SET {damage} WHERE id = '{one}'; COMMIT");
        shell.batch_execute(&damage).await.unwrap();
        let found = repository.find(&workspace("mine"), id(1)).await;
        let listed = repository.list(&workspace("mine"), Filter::default(), None, 9).await;
        for error in [found.unwrap_err(), listed.unwrap_err()] {
            assert!(
                matches!(&error, StorageError::Corrupt { id, .. } if *id == one),
                "{damage}: {error:?}"
            );
            let source = error.source().unwrap().to_string();
            assert!(source.contains(column), "{damage}: {source}");
        }
        assert!(repository.find(&workspace("mine"), id(2)).await.unwrap().is_some());
        assert!(repository.remove(&workspace("mine"), id(1), None).await.unwrap());
        repository.insert(&done(&todo(1))).await.unwrap();
    }
}
