//! PgBouncer in between, in each of its modes.

use std::sync::Arc;

use serde_json::json;
use todo_adapter_storage::PostgresSnapshot;
use todo_tests::listener::Listener;
use todo_tests::postgres;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::*;
use crate::programs::Pair;

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The settings of a session that differ from the server's, by name.
async fn changed_settings(url: &str) -> Vec<String> {
    let changed = "SELECT name FROM pg_settings WHERE source = 'session' ORDER BY name";
    let rows = connect(url).await.unwrap().simple_query(changed).await.unwrap();
    let names = rows.iter().filter_map(|message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        row.get(0).map(str::to_owned)
    });
    names.filter(|name| name != "application_name" && name != "client_encoding").collect()
}

#[tokio::test]
#[cfg_attr(not(has_pgbouncer), ignore = "needs PgBouncer: see tests/README.md")]
async fn in_session_mode_everything_works() {
    let server = postgres::shared();
    let pooler = server.pooler(&["pool_mode = session"]);
    let url = pooler.url(&server.create_database().await);
    {
        let Pair { here, there, .. } = &Pair::on(&url).await;
        let mut listener = Listener::open(here, json!({ "resourcesListChanged": true })).await;
        let first = listener.next().await.unwrap();
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
        let id = there.create("Buy milk").await;
        let notified = listener.next().await.unwrap();
        assert_eq!(notified["method"], "notifications/resources/list_changed");
        here.call("update_todo", json!({ "todo_id": id, "completed": true })).await.structured();
        let listed = there.call("list_todos", json!({ "completed": true })).await.structured();
        assert_eq!(listed["todos"][0]["id"], id.as_str());
        here.call("delete_todo", json!({ "todo_id": id })).await.structured();
    }
    assert_eq!(changed_settings(&url).await, Vec::<String>::new());
    PostgresSnapshot::open(&url.parse().unwrap()).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(has_pgbouncer), ignore = "needs PgBouncer: see tests/README.md")]
async fn a_pooler_that_shares_sessions_is_rejected_and_left_as_it_was() {
    let server = postgres::shared();
    for settings in [
        &["pool_mode = transaction"][..],
        &["pool_mode = transaction", "server_round_robin = 1"],
        &["pool_mode = transaction", "default_pool_size = 1"],
        &["pool_mode = statement"],
    ] {
        let pooler = server.pooler(settings);
        let database = server.create_database().await;
        let url = pooler.url(&database);
        for _ in 0..3 {
            let sentence = refusal(&url).await;
            assert!(sentence.contains("shares sessions"), "{settings:?}: {sentence}");
            assert!(sentence.contains("pool_mode to session"), "{settings:?}: {sentence}");
        }
        let Err(sentence) = PostgresSnapshot::open(&url.parse().unwrap()).await else {
            panic!("{settings:?} is not rejected")
        };
        assert!(sentence.to_string().contains("pool_mode to session"), "{sentence}");
        for _ in 0..3 {
            // That of the check is not read by anything.
            let changed = changed_settings(&url).await;
            assert!(changed.iter().all(|name| name == "todo_mcp.session"), "{changed:?}");
        }
        let shell = server.connect(&database).await;
        let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'todo%'";
        assert_eq!(shell.query_one(tables, &[]).await.unwrap().get::<_, i64>(0), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_pgbouncer), ignore = "needs PgBouncer: see tests/README.md")]
async fn a_full_pooler_is_used_through_the_connections_that_there_are() {
    let server = postgres::shared();
    let pooler = server.pooler(&["pool_mode = session", "max_client_conn = 5"]);
    let url = pooler.url(&server.create_database().await);
    let repository = Arc::new(open(&url).await);
    let mut taken = Vec::new();
    while let Ok(client) = connect(&url).await {
        taken.push(client);
    }
    let sentence = refusal(&url).await;
    assert!(sentence.contains("accepts no more connections"), "{sentence}");
    let mut reads = tokio::task::JoinSet::new();
    for number in 0..50 {
        let repository = Arc::clone(&repository);
        reads.spawn(async move { repository.find_in(&workspace("mine"), id(number)).await });
    }
    for found in soon(reads.join_all()).await {
        assert_eq!(found.unwrap(), None);
    }
}
