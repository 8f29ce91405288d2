//! Databases of earlier schemas, and tables that are spread over machines.

use todo_application::domain::{Instant, Version};
use todo_application::ports::CreationRequest;
use todo_tests::postgres;
use tokio_postgres::Client;

use super::*;

/// Schema 1, and what schema 2 added.
const TODOS: &str = "\
    CREATE TABLE todos (workspace bytea NOT NULL, id uuid NOT NULL, title text NOT NULL, \
        description text, completed_at bigint, created_at bigint NOT NULL, created_by text NOT NULL, \
        updated_at bigint NOT NULL, updated_by text NOT NULL, version bigint NOT NULL, \
        open_id uuid, done_id uuid, PRIMARY KEY (workspace, id))";
const CREATIONS: &str = "\
    CREATE TABLE creations (workspace bytea NOT NULL, created_by text NOT NULL, key text NOT NULL, \
        fingerprint bigint NOT NULL, todo uuid NOT NULL, created_at bigint NOT NULL, \
        forget_at bigint NOT NULL, PRIMARY KEY (workspace, created_by, key))";

/// A stand-in for tables that an operator has spread over machines: nothing reads another partition than
/// that of its workspace.
async fn create_partitioned(shell: &Client) {
    for (name, table) in [("todos", TODOS), ("creations", CREATIONS)] {
        let part = |part: u32| {
            format!(
                "CREATE TABLE {name}_{part} PARTITION OF {name} \
                 FOR VALUES WITH (MODULUS 8, REMAINDER {part})"
            )
        };
        let whole = format!("{table} PARTITION BY HASH (workspace)");
        let sql = std::iter::once(whole).chain((0..8).map(part)).collect::<Vec<_>>().join("; ");
        shell.batch_execute(&sql).await.unwrap();
    }
}

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
    assert_eq!(stored.iter().filter(|it| it.id() > id(100)).count(), 2);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn tables_that_are_partitioned_by_workspace_are_migrated_and_served() {
    let server = postgres::shared();
    let database = server.create_database().await;
    create_partitioned(&server.connect(&database).await).await;
    write_everything(&open(&server.url(&database)).await).await;
    write_everything_again(&server.url(&database)).await;
}

/// A repeated migration finds everything done.
async fn write_everything_again(url: &str) {
    let repository = open(url).await;
    for todo in everything(&repository).await {
        repository.remove_from(todo.workspace(), todo.id(), None).await.unwrap();
    }
    repository.add(&todo(1)).await.unwrap();
}

/// The workspace says the organization of the caller, except for that of everyone.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn remembered_requests_are_migrated_to_their_callers() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    create_partitioned(&shell).await;
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

/// The catalog of Citus, and its function, which notes the tables.
const CITUS: &str = "\
    CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod \"char\"); \
    CREATE TABLE distributed (number serial, name text, colocated text, was_empty boolean); \
    CREATE FUNCTION create_distributed_table(name regclass, key text, colocate_with text) \
    RETURNS void LANGUAGE plpgsql AS $$ \
    DECLARE empty boolean; \
    BEGIN \
        ASSERT key = 'workspace'; \
        EXECUTE format('SELECT NOT EXISTS (SELECT 1 FROM %s)', name) INTO empty; \
        INSERT INTO distributed (name, colocated, was_empty) VALUES (name, colocate_with, empty); \
        INSERT INTO pg_dist_partition VALUES (name, 'h'); \
    END $$";

/// On a database of schema 1 whose table is distributed, as on one that is not.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn new_tables_are_distributed_as_the_todos_are() {
    let server = postgres::shared();
    for distributed in [true, false] {
        let database = server.create_database().await;
        let shell = server.connect(&database).await;
        shell.batch_execute(CITUS).await.unwrap();
        shell.batch_execute(TODOS).await.unwrap();
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
const NEW_TABLES: [(&str, &str); 1] = [("creations", "todos")];
