//! `kill -9`.

use std::sync::Arc;

use fastrand::Rng;
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;

use crate::installation::Installation;
use crate::process::PATIENCE;
use crate::program::{Place, everything, kill};
use crate::writers::{Shared, Writer};

const ROUNDS: u32 = 20;
const USERS: [&str; 4] = ["usr_1", "usr_2", "usr_3", "usr_4"];
const WRITERS_OF_EACH: usize = 16;

/// A user, and the clients that write concurrently.
struct User {
    subject: &'static str,
    shared: Arc<Shared>,
    writers: Vec<Writer>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_a_crash() {
    let mut random = Rng::with_seed(0x70_d0);
    let place = Place::new().await;
    let mut program = place.serve().await;
    let mut users = Vec::new();
    for subject in USERS {
        let shared = Shared::create(&place.caller(&program, subject)).await;
        let writers = (0..WRITERS_OF_EACH)
            .map(|number| Writer::new(format!("{subject} {number}"), random.u64(..), &shared))
            .collect();
        users.push(User { subject, shared, writers });
    }
    for _ in 0..ROUNDS {
        let (answered, mut count) = watch::channel(0);
        // The number of writers for each user: from single commits to large groups.
        let busy = random.usize(1..=WRITERS_OF_EACH);
        let mut at_work = JoinSet::new();
        for (number, user) in users.iter_mut().enumerate() {
            let caller = place.caller(&program, user.subject);
            for writer in user.writers.drain(..busy) {
                let (caller, answered) = (caller.clone(), answered.clone());
                at_work.spawn(async move { (number, writer.work(caller, answered).await) });
            }
        }
        let moment = random.u32(1..400);
        let reached = count.wait_for(|count| *count >= moment);
        timeout(PATIENCE, reached).await.expect("the writes are answered").unwrap();
        program.kill().await;
        for (number, writer) in at_work.join_all().await {
            users[number].writers.push(writer);
        }

        program = place.serve().await;
        for user in &mut users {
            let caller = place.caller(&program, user.subject);
            let mut stored = everything(&caller).await;
            user.shared.find(&mut stored);
            for writer in &mut user.writers {
                writer.find_everything(&mut stored);
                writer.ask_again(&caller).await;
            }
            assert!(stored.is_empty(), "never written: {stored:#?}");
        }
        place.assert_integrity();
        place.assert_history();
    }
}

/// A first start creates files and a schema, and the next one continues wherever it was
/// interrupted.
#[tokio::test]
async fn an_interrupted_first_start_is_completed_by_the_next() {
    for made in
        ["todos.db.lock", "todos.db", "todos.db-wal", "todos.db-shm", "todos.db.identity.json"]
    {
        let installation = Installation::new();
        let process = installation.spawn(&["serve"]);
        let file = installation.path(made);
        let is_made = async {
            while !file.exists() {
                yield_now().await;
            }
        };
        timeout(PATIENCE, is_made).await.expect(made);
        kill(process).await;

        let server = installation.serve().await;
        server.caller().await.create("Buy milk").await;
    }
}
