//! What was answered is there, whatever happens to the server.
//!
//! The servers are set as they come, and so write to the disk what they confirm. That the disk keeps
//! it is not tested: nobody pulls a plug here.

use todo_tests::postgres::{Server, Stop};

use super::writers::Writers;
use super::*;

/// How many answered writes make a sample.
const SAMPLE: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_restart_loses_nothing_that_was_answered() {
    survive(Stop::Fast).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crash_loses_nothing_that_was_answered() {
    survive(Stop::Kill).await;
}

async fn survive(stop: Stop) {
    let Some(server) = Server::prepare() else { return };
    let mut server = server.start();
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
async fn a_failover_loses_nothing_that_was_answered() {
    let Some(Pair { mut primary, mut standby, writers }) = Pair::at_work().await else { return };
    // What the primary writes now does not get through, so that it is lost, and may be: it must not
    // be answered.
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
async fn a_failover_from_a_server_that_hangs_loses_nothing_that_was_answered() {
    let Some(Pair { mut primary, standby, writers }) = Pair::at_work().await else { return };
    tokio::task::block_in_place(|| {
        primary.freeze();
        standby.promote();
    });
    writers.answered(SAMPLE).await;
    writers.assert_nothing_is_lost().await;
}

/// A server, one that has every write that it answers, and writers that know of both.
struct Pair {
    primary: Server,
    standby: Server,
    writers: Writers,
}

impl Pair {
    async fn at_work() -> Option<Self> {
        let primary = Server::prepare()?.with("synchronous_standby_names=*").start();
        let standby = Server::prepare()?.start_behind(&primary);
        let database = primary.create_database().await;
        let url = format!(
            "postgres://postgres@{},{}/{database}?target_session_attrs=read-write&connect_timeout=1",
            primary.address(),
            standby.address(),
        );
        let writers = Writers::start(open(&url).await);
        writers.answered(SAMPLE).await;
        Some(Self { primary, standby, writers })
    }
}
