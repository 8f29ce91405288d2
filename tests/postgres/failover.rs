//! Acknowledged writes survive restarts, crashes and failovers.
//!
//! The servers have their default settings, and so write to disk what they acknowledge. A power
//! failure is not simulated.

use todo_tests::postgres::{Server, Stop};

use super::writers::Writers;
use super::*;

const SAMPLE: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_restart_loses_no_acknowledged_write() {
    survive(Stop::Fast).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_crash_loses_no_acknowledged_write() {
    survive(Stop::Kill).await;
}

async fn survive(stop: Stop) {
    let mut server = Server::new().start();
    let writers = Writers::start(open(&server.fresh().await).await);
    for _ in 0..2 {
        writers.answered(SAMPLE).await;
        tokio::task::block_in_place(|| {
            server.stop(stop);
            server.go_on();
        });
    }
    writers.answered(SAMPLE).await;
    writers.assert_nothing_is_lost().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_failover_loses_no_acknowledged_write() {
    let Pair { mut primary, mut standby, writers } = Pair::at_work().await;
    // Writes of the primary are not replicated from here on and will be lost, so they must not be
    // acknowledged.
    standby.freeze();
    let shell = primary.connect("postgres").await;
    let waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    soon(async { while !shell.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {} }).await;
    tokio::task::block_in_place(|| {
        primary.stop(Stop::Kill);
        standby.thaw();
        standby.promote();
    });
    writers.answered(SAMPLE).await;
    writers.assert_nothing_is_lost().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_failover_from_a_hanging_server_loses_no_acknowledged_write() {
    let Pair { mut primary, standby, writers } = Pair::at_work().await;
    tokio::task::block_in_place(|| {
        primary.freeze();
        standby.promote();
    });
    writers.answered(SAMPLE).await;
    writers.assert_nothing_is_lost().await;
}

/// It is not waited for once for each of the connections that lead to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_hanging_server_costs_a_sequential_client_one_call() {
    let Pair { mut primary, standby, writers } = Pair::at_work().await;
    let repository = writers.stop().await;
    tokio::task::block_in_place(|| {
        primary.freeze();
        standby.promote();
    });
    let mut calls = 0;
    let served = async {
        while repository.add(&todo(1_000_000 + calls)).await.is_err() {
            calls += 1;
        }
    };
    soon(served).await;
    assert!(calls <= 1, "{calls} calls failed");
    for number in 0..20 {
        repository.add(&todo(2_000_000 + number)).await.unwrap();
    }
}

/// A primary, a standby with every write that the primary acknowledges, and writers that know both.
struct Pair {
    primary: Server,
    standby: Server,
    writers: Writers,
}

impl Pair {
    async fn at_work() -> Self {
        let primary = Server::new().with("synchronous_standby_names=*").start();
        let standby = Server::new().start_behind(&primary);
        let database = primary.create_database().await;
        let url = format!(
            "postgres://postgres@{},{}/{database}?target_session_attrs=read-write&connect_timeout=1",
            primary.address(),
            standby.address(),
        );
        let writers = Writers::start(open(&url).await);
        writers.answered(SAMPLE).await;
        Self { primary, standby, writers }
    }
}
