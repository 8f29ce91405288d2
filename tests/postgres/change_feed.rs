//! Word of changes between servers.

use std::collections::BTreeSet;

use serde_json::json;
use todo_adapter_storage::PostgresChangeFeed;
use todo_application::ports::{ChangeFeed as _, Changed, Changes};
use todo_tests::listener::Listener;
use todo_tests::postgres::{self, Server, Stop};

use super::*;
use crate::programs::Pair;

fn feed(url: &str) -> PostgresChangeFeed {
    PostgresChangeFeed::start(&url.parse().unwrap()).unwrap()
}

/// Watches, from the moment at which the feed hears of others: then anything may have changed.
async fn watch(feed: &PostgresChangeFeed, workspace_name: &str) -> Box<dyn Changes> {
    let mut changes = feed.subscribe(&workspace(workspace_name));
    assert_eq!(soon(changes.next()).await, Changed::Any);
    changes
}

fn these(numbers: impl IntoIterator<Item = u64>) -> Changed {
    Changed::Todos(numbers.into_iter().map(id).collect())
}

#[tokio::test]
async fn a_change_is_told_once_by_every_server_of_the_database() {
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    // Before either of them has connected.
    let (own, distant) = (watch(&here, "mine"), watch(&there, "mine"));
    let (mut own, mut distant) = tokio::join!(own, distant);
    let mut stranger = there.subscribe(&workspace("yours"));
    for number in 0..20 {
        here.publish(&workspace("mine"), id(number));
        assert_eq!(soon(own.next()).await, these([number]));
        assert_eq!(soon(distant.next()).await, these([number]));
    }
    there.publish(&workspace("yours"), id(7));
    assert_eq!(soon(stranger.next()).await, these([7]), "and of nothing before");
}

#[tokio::test]
async fn many_changes_at_once_are_all_told() {
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    let mut distant = watch(&there, "mine").await;
    for number in 0..200 {
        here.publish(&workspace("mine"), id(number));
    }
    let mut told = BTreeSet::new();
    while told.len() < 200 {
        match soon(distant.next()).await {
            Changed::Todos(todos) => told.extend(todos),
            Changed::Any => panic!("they can be named"),
        }
    }
}

#[tokio::test]
async fn more_changes_than_can_be_kept_are_told_as_anything() {
    let Some(server) = postgres::shared() else { return };
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    let mut distant = watch(&there, "mine").await;
    // All in one go, so that nothing is sent in between.
    for number in 0..10_000 {
        here.publish(&workspace("yours"), id(number));
    }
    // Not a word was about this workspace, and yet nothing that was may be missed.
    assert_eq!(soon(distant.next()).await, Changed::Any);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_while_the_database_was_away_is_told_as_anything() {
    let Some(server) = Server::prepare() else { return };
    let mut server = server.start();
    let url = server.fresh().await;
    let (here, there) = (feed(&url), feed(&url));
    let mut distant = watch(&there, "mine").await;
    let mut numbers = 2..;
    for stop in [Stop::Fast, Stop::Kill] {
        server.stop(stop);
        here.publish(&workspace("mine"), id(1));
        server.go_on();
        // The change itself may be told too, if the other server was back first.
        let anything = async { while distant.next().await != Changed::Any {} };
        soon(anything).await;
        // Again by name, as soon as both are back. Each attempt has a name of its own, so that nothing
        // is on its way any more when the last one has arrived.
        let by_name = async {
            for number in numbers.by_ref() {
                here.publish(&workspace("mine"), id(number));
                if matches!(distant.next().await, Changed::Todos(told) if told.contains(&id(number)))
                {
                    break;
                }
            }
        };
        soon(by_name).await;
    }
}

#[tokio::test]
async fn a_client_of_one_server_is_told_of_a_change_through_another() {
    let Some(server) = postgres::shared() else { return };
    let Pair { here, there, .. } = &Pair::start(server).await;
    let wanted = json!({ "resourcesListChanged": true });
    let mut listener = Listener::open(here, wanted).await;
    let first = listener.next().await.unwrap();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    // One of them may be word that anything may have changed, from when the server connected.
    for number in 0..5 {
        there.create(&format!("todo {number}")).await;
        let told = listener.next().await.unwrap();
        assert_eq!(told["method"], "notifications/resources/list_changed");
    }
}
