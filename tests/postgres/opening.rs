//! The schema, and databases that cannot be used.

use tokio::task::JoinSet;

use super::*;
use todo_tests::postgres;

/// Opens a database ten times at once, and returns how often the migrations ran.
async fn open_at_once(database: &str) -> i64 {
    let server = postgres::shared();
    let mut opening = JoinSet::new();
    for _ in 0..10 {
        let url = server.url(database);
        opening.spawn(async move { open(&url).await });
    }
    let repositories = soon(opening.join_all()).await;
    for (number, repository) in (1..).zip(&repositories) {
        repository.add(&todo(number)).await.unwrap();
    }
    assert_eq!(everything(&repositories[0]).await.len(), repositories.len());
    let shell = server.connect(database).await;
    let steps = "SELECT count(*), count(DISTINCT number) FROM todo_mcp_migrations";
    let row = shell.query_one(steps, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn replicas_that_start_together_run_each_migration_once() {
    let server = postgres::shared();
    let database = server.create_database().await;
    assert_eq!(open_at_once(&database).await, 10);
    assert_eq!(open_at_once_again(&database).await, 10);
}

/// An up-to-date database needs no migration.
async fn open_at_once_again(database: &str) -> i64 {
    let shell = postgres::shared().connect(database).await;
    shell.batch_execute("TRUNCATE todo_items, todo_terms").await.unwrap();
    open_at_once(database).await
}

/// As in CockroachDB and older YugabyteDB.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn replicas_that_start_together_need_no_advisory_locks() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    // Found before the built-in function.
    let lacking = format!(
        "CREATE FUNCTION pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE plpgsql AS $$ \
         BEGIN RAISE 'advisory locks are not supported' USING ERRCODE = '0A000'; END $$; \
         ALTER DATABASE {database} SET search_path = public, pg_catalog"
    );
    shell.batch_execute(&lacking).await.unwrap();
    assert_eq!(open_at_once(&database).await, 10);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_of_a_later_version_is_left_unchanged() {
    let server = postgres::shared();
    let database = server.create_database().await;
    open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    shell.batch_execute("INSERT INTO todo_mcp_migrations VALUES (99)").await.unwrap();
    let sentence = refusal(&server.url(&database)).await;
    assert!(
        sentence.contains("has schema 99, and this program supports schemas up to 10"),
        "{sentence}"
    );
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_table_of_another_application_is_left_unchanged() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    shell.batch_execute("CREATE TABLE todos (id serial PRIMARY KEY, what text)").await.unwrap();
    let sentence = refusal(&server.url(&database)).await;
    assert!(sentence.contains("has a table `todos` of another application"), "{sentence}");
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'todo%' AND relkind = 'r'";
    let left: i64 = shell.query_one(tables, &[]).await.unwrap().get(0);
    assert_eq!(left, 1, "no table was left behind");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_role_that_may_only_read_and_write_todos_suffices() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let role =
        format!("REVOKE CREATE ON SCHEMA public FROM public; CREATE ROLE app_{database} LOGIN");
    shell.batch_execute(&role).await.unwrap();
    let url = server.url(&database).replace("postgres@", &format!("app_{database}@"));
    let sentence = refusal(&url).await;
    assert!(sentence.contains("does not grant this user what is needed"), "{sentence}");

    open(&server.url(&database)).await;
    let grant = format!(
        "GRANT SELECT ON todo_mcp_migrations TO app_{database}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON todo_items, todo_heads, todo_terms, todo_changes, creations \
         TO app_{database}"
    );
    shell.batch_execute(&grant).await.unwrap();
    open(&url).await.add(&todo(1)).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_read_only_database_is_rejected_with_the_cause() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let read_only = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
    shell.batch_execute(&read_only).await.unwrap();
    let sentence = refusal(&server.url(&database)).await;
    assert!(sentence.contains("accepts no writes"), "{sentence}");
    assert!(sentence.contains("default_transaction_read_only"), "{sentence}");
    assert!(!sentence.contains("start it"), "{sentence}");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_without_utf_8_is_rejected() {
    let server = postgres::shared();
    let shell = server.connect("postgres").await;
    let latin = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'";
    shell.batch_execute(latin).await.unwrap();
    let sentence = refusal(&server.url("latin")).await;
    assert!(sentence.contains("has the encoding LATIN1"), "{sentence}");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_that_cannot_be_used_fails_with_one_sentence() {
    let server = postgres::shared();
    let wrong = guarded(server).await.replace(PASSWORD, "hunter3");
    let address = server.address();
    let refused = "127.0.0.1:1";
    for (url, words) in [
        (format!("postgres://postgres@{address}/nowhere"), "does not exist: create it"),
        (wrong, "rejects this user"),
        (format!("postgres://stranger@{address}/postgres"), "rejects this user"),
        (format!("postgres://guarded:hunter3@{refused}/todos"), "cannot be reached"),
        (format!("postgres://{address}/postgres?sslmode=require"), "does not support TLS"),
        (
            format!("postgres://{address}/postgres?sslmode=verify-full&sslrootcert=nowhere.pem"),
            "the certificates to verify it with cannot be read",
        ),
    ] {
        let sentence = soon(refusal(&url)).await;
        assert!(sentence.contains(words), "{words} in {sentence}");
        assert!(!sentence.contains("hunter") && !sentence.contains('\n'), "{sentence}");
    }
}
