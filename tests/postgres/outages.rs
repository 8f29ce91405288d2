//! Databases that stop, hang and come back.

use todo_application::ports::StorageHealth as _;
use todo_tests::postgres::{Server, Stop};

use super::*;

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_stopped_database_is_unavailable_until_it_is_back() {
    let mut server = Server::new().start();
    let repository = open(&server.fresh().await).await;
    repository.add(&todo(1)).await.unwrap();

    for stop in [Stop::Fast, Stop::Kill] {
        server.stop(stop);
        for number in 0..20 {
            assert_unavailable(soon(repository.find_in(&workspace("mine"), id(number))).await);
            assert_unavailable(soon(repository.add(&todo(number))).await);
        }
        let why = assert_unavailable(soon(repository.check()).await);
        assert!(why.starts_with("the database cannot be used: "), "{why}");

        server.go_on();
        assert_eq!(soon(everything(&repository)).await, [todo(1)]);
        repository.check().await.unwrap();
    }
    repository.add(&todo(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_hanging_database_is_reported_as_unavailable() {
    let mut server = Server::new().start();
    let repository = open(&server.fresh().await).await;
    repository.add(&todo(1)).await.unwrap();
    server.freeze();

    for _ in 0..3 {
        let why = assert_unavailable(soon(repository.check()).await);
        assert_eq!(why, "the database does not answer in time");
    }
    let (mine, new) = (workspace("mine"), todo(2));
    let calls = async { tokio::join!(repository.find_in(&mine, id(1)), repository.add(&new)) };
    let (found, inserted) = soon(calls).await;
    assert_unavailable(found);
    assert_unavailable(inserted);
}

/// Without other requests, readiness checks establish the missing connection, even if that takes
/// longer than one check may take.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn readiness_checks_connect_to_the_next_host() {
    let mut primary = Server::new().start();
    let standby = Server::new().start_behind(&primary);
    let database = primary.create_database().await;
    let url = format!(
        "postgres://postgres@{},{}/{database}?connect_timeout=2",
        primary.address(),
        standby.address(),
    );
    let repository = open(&url).await;
    repository.add(&todo(1)).await.unwrap();
    primary.freeze();
    standby.promote();
    soon(async { while repository.check().await.is_err() {} }).await;
}
