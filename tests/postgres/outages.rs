//! Databases that stop, hang and come back.

use todo_application::ports::{NotReady, Readiness as _};
use todo_tests::postgres::{Server, Stop};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_stopped_is_unavailable_until_it_is_back() {
    let Some(server) = Server::prepare() else { return };
    let mut server = server.start();
    let repository = open(&server.fresh().await).await;
    repository.insert(&todo(1)).await.unwrap();

    for stop in [Stop::Fast, Stop::Kill] {
        server.stop(stop);
        for number in 0..20 {
            assert_unavailable(soon(repository.find(&workspace("mine"), id(number))).await);
            assert_unavailable(soon(repository.insert(&todo(number))).await);
        }
        let why = soon(repository.ready()).await.unwrap_err().to_string();
        assert!(why.starts_with("the database cannot be read: "), "{why}");

        server.go_on();
        assert_eq!(soon(everything(&repository)).await, [todo(1)]);
        assert_eq!(repository.ready().await, Ok(()));
    }
    repository.insert(&todo(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_is_unavailable_and_said_so() {
    let Some(server) = Server::prepare() else { return };
    let mut server = server.start();
    let repository = open(&server.fresh().await).await;
    repository.insert(&todo(1)).await.unwrap();
    server.freeze();

    let late = NotReady("the database does not answer in time".into());
    for _ in 0..3 {
        assert_eq!(soon(repository.ready()).await, Err(late.clone()));
    }
    let (mine, new) = (workspace("mine"), todo(2));
    let calls = async { tokio::join!(repository.find(&mine, id(1)), repository.insert(&new)) };
    let (found, inserted) = soon(calls).await;
    assert_unavailable(found);
    assert_unavailable(inserted);
}

/// Where only readiness checks come, they make the connection that is missing, even if it takes them
/// longer than one may take.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_checks_find_the_way_to_the_next_host() {
    let Some(primary) = Server::prepare() else { return };
    let mut primary = primary.start();
    let standby = Server::prepare().unwrap().start_behind(&primary);
    let database = primary.create_database().await;
    let url = format!(
        "postgres://postgres@{},{}/{database}?connect_timeout=2",
        primary.address(),
        standby.address(),
    );
    let repository = open(&url).await;
    repository.insert(&todo(1)).await.unwrap();
    primary.freeze();
    standby.promote();
    soon(async { while repository.ready().await.is_err() {} }).await;
}
