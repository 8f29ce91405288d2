//! Change notifications between servers.

use std::collections::BTreeSet;

use serde_json::json;
use todo_adapter_storage::{ChangeReach, PostgresChangeFeed};
use todo_application::ports::{ChangeFeed as _, Changed, Changes};
use todo_tests::listener::Listener;
use todo_tests::postgres::{self, Server, Stop};

use super::*;
use crate::programs::Pair;

fn feed(url: &str) -> PostgresChangeFeed {
    PostgresChangeFeed::start(&url.parse().unwrap()).unwrap()
}

/// Watches from the moment at which the feed is connected, which publishes an unknown change.
async fn watch(feed: &PostgresChangeFeed, workspace_name: &str) -> Box<dyn Changes> {
    let mut changes = feed.subscribe(&read_permit(&workspace(workspace_name)));
    assert_eq!(soon(changes.next()).await, Changed::Any);
    changes
}

fn these(numbers: impl IntoIterator<Item = u64>) -> Changed {
    Changed::Todos(numbers.into_iter().map(id).collect())
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn every_server_of_a_database_publishes_a_change_once() {
    let server = postgres::shared();
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    // Before either of them is connected.
    let (own, distant) = (watch(&here, "mine"), watch(&there, "mine"));
    let (mut own, mut distant) = tokio::join!(own, distant);
    let mut stranger = there.subscribe(&read_permit(&workspace("yours")));
    for number in 0..20 {
        here.publish(&write_permit(&workspace("mine")), id(number));
        assert_eq!(soon(own.next()).await, these([number]));
        assert_eq!(soon(distant.next()).await, these([number]));
    }
    there.publish(&write_permit(&workspace("yours")), id(7));
    assert_eq!(soon(stranger.next()).await, these([7]), "and of nothing before");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn many_concurrent_changes_are_all_published() {
    let server = postgres::shared();
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    let mut distant = watch(&there, "mine").await;
    for number in 0..200 {
        here.publish(&write_permit(&workspace("mine")), id(number));
    }
    let mut notified = BTreeSet::new();
    while notified.len() < 200 {
        match soon(distant.next()).await {
            Changed::Todos(todos) => notified.extend(todos),
            Changed::Any => panic!("the ids fit into the buffer"),
        }
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn more_changes_than_the_buffer_holds_are_published_as_unknown() {
    let server = postgres::shared();
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    let mut distant = watch(&there, "mine").await;
    // Without a pause, so that nothing is sent in between.
    for number in 0..10_000 {
        here.publish(&write_permit(&workspace("yours")), id(number));
    }
    // None of the changes was in this workspace, but one could have been.
    assert_eq!(soon(distant.next()).await, Changed::Any);
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn changes_missed_during_an_outage_are_published_as_unknown() {
    let mut server = Server::new().start();
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    let mut distant = watch(&there, "mine").await;
    let mut numbers = 2..;
    for stop in [Stop::Fast, Stop::Kill] {
        server.stop(stop);
        here.publish(&write_permit(&workspace("mine")), id(1));
        server.go_on();
        // The change itself may be published too, if the other server reconnected first.
        let anything = async { while distant.next().await != Changed::Any {} };
        soon(anything).await;
        // Published with its id again, as soon as both are connected. Each attempt has its own id, so
        // that nothing is in flight when the last one has arrived.
        let by_id = async {
            for number in numbers.by_ref() {
                here.publish(&write_permit(&workspace("mine")), id(number));
                if matches!(distant.next().await, Changed::Todos(notified) if notified.contains(&id(number)))
                {
                    break;
                }
            }
        };
        soon(by_id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn changes_are_published_after_a_failover_from_a_hanging_server() {
    let mut primary = Server::new().start();
    let standby = Server::new().start_behind(&primary);
    let database = primary.create_database().await;
    let both = format!(
        "postgres://postgres@{},{}/{database}?connect_timeout=1",
        primary.address(),
        standby.address(),
    );
    let feed = feed(&both);
    let mut changes = watch(&feed, "mine").await;
    assert_eq!(feed.reach().await, ChangeReach::AllServers);
    tokio::task::block_in_place(|| {
        primary.freeze();
        standby.promote();
    });
    // Once it has left the one, it publishes that anything may have changed.
    assert_eq!(soon(changes.next()).await, Changed::Any);
    let there = self::feed(&standby.url(&database));
    watch(&there, "mine").await;
    there.publish(&write_permit(&workspace("mine")), id(1));
    assert_eq!(soon(changes.next()).await, these([1]));
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_client_of_one_server_is_notified_of_a_change_through_another() {
    let server = postgres::shared();
    let Pair { here, there, .. } = &Pair::start(server).await;
    let wanted = json!({ "resourcesListChanged": true });
    let mut listener = Listener::open(here, wanted).await;
    let first = listener.next().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    // One of them may be the unknown change published when the server connected.
    for number in 0..5 {
        there.create(&format!("todo {number}")).await;
        let notified = listener.next().await.unwrap();
        assert_eq!(notified["method"], "notifications/resources/list_changed");
    }
}
