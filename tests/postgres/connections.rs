//! How many connections there are, and a server that accepts no more.

use std::num::NonZeroUsize;
use std::sync::Arc;

use todo_adapter_storage::PostgresPool;
use todo_tests::postgres;
use tokio::task::{JoinSet, yield_now};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use super::*;

const OURS: &str = "FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'todo-mcp'";

async fn count(shell: &Client, condition: &str) -> i64 {
    // Otherwise a transaction always sees what it saw first.
    shell.batch_execute("SELECT pg_stat_clear_snapshot()").await.unwrap();
    let query = format!("SELECT count(*) {OURS} {condition}");
    shell.query_one(&query, &[]).await.unwrap().get(0)
}

pub(crate) async fn open_with(url: &str, pool: PostgresPool) -> Arc<PostgresTodoRepository> {
    Arc::new(PostgresTodoRepository::open_with(&url.parse().unwrap(), pool).await.unwrap())
}

/// Reads `requests` times at once, all of which wait until `waiting` of them have a connection.
async fn read_at_once(
    repository: &Arc<PostgresTodoRepository>,
    shell: &Client,
    requests: u64,
    waiting: i64,
) {
    shell.batch_execute("BEGIN; LOCK TABLE todo_items").await.unwrap();
    let mut reads = JoinSet::new();
    for number in 0..requests {
        let repository = Arc::clone(repository);
        reads.spawn(async move { repository.find_in(&workspace("mine"), id(number)).await });
    }
    soon(async { while count(shell, "AND wait_event_type = 'Lock'").await < waiting {} }).await;
    shell.batch_execute("COMMIT").await.unwrap();
    for found in soon(reads.join_all()).await {
        assert_eq!(found.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn there_are_as_many_as_are_used_at_once_up_to_the_limit() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let pool = PostgresPool { size: NonZeroUsize::new(3).unwrap(), ..PostgresPool::default() };
    let repository = open_with(&server.url(&database), pool).await;
    read_at_once(&repository, &shell, 2, 2).await;
    // The connection of the migration may not have ended yet.
    soon(async { while count(&shell, "").await != 2 {} }).await;
    read_at_once(&repository, &shell, 20, 3).await;
    soon(async { while count(&shell, "").await != 3 {} }).await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn those_that_are_not_used_are_closed_except_one() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let shell = server.connect(&database).await;
    let pool = PostgresPool { idle: Duration::from_millis(1), ..PostgresPool::default() };
    let repository = open_with(&server.url(&database), pool).await;
    read_at_once(&repository, &shell, 8, 8).await;
    soon(async { while count(&shell, "").await > 1 {} }).await;
    let survivor = format!("SELECT pid {OURS}");
    let survivor: i32 = shell.query_one(&survivor, &[]).await.unwrap().get(0);
    assert_eq!(everything(&repository).await, []);
    assert_eq!(count(&shell, &format!("AND pid = {survivor}")).await, 1);
}

/// Takes every connection that is left.
async fn take_all(server: &Server) -> Vec<Client> {
    let mut taken = Vec::new();
    loop {
        match tokio_postgres::connect(&server.url("postgres"), NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                taken.push(client);
            }
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::TOO_MANY_CONNECTIONS), "{error}");
                return taken;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_full_server_is_used_through_the_connections_that_there_are() {
    let server = Server::new().with("max_connections=8").with("superuser_reserved_connections=0");
    let server = server.start();
    let database = server.create_database().await;
    let url = server.url(&database);
    let repository = Arc::new(open(&url).await);
    let shell = server.connect(&database).await;
    let mut taken = take_all(&server).await;

    let sentence = refusal(&url).await;
    assert!(sentence.contains("accepts no more connections"), "{sentence}");
    assert!(sentence.contains("raise its max_connections"), "{sentence}");
    // The first of them holds the only connection until the others have asked for one.
    read_at_once(&repository, &shell, 50, 1).await;
    repository.add(&todo(1)).await.unwrap();

    // Without any connection there is nothing to wait for.
    let end = format!("SELECT pg_terminate_backend(pid) {OURS}");
    shell.batch_execute(&end).await.unwrap();
    soon(async {
        while taken.len() < 7 {
            taken.extend(take_all(&server).await);
        }
    })
    .await;
    let why = assert_unavailable(soon(repository.find_in(&workspace("mine"), id(1))).await);
    assert!(why.contains("too many clients"), "{why}");

    drop(taken);
    soon(async {
        while repository.find_in(&workspace("mine"), id(1)).await.is_err() {
            yield_now().await;
        }
    })
    .await;
}
