//! Workspaces whose statements hang, as on a machine of a cluster that does not answer.
//!
//! Here it is a lock on their rows, which another session holds.

use std::sync::Arc;

use todo_application::ports::StorageHealth as _;
use todo_tests::postgres;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::*;

/// More than there are connections.
const HANGING: u64 = 20;

fn todo_of(workspace_name: &str, number: u64) -> Todo {
    Todo::restore(todo_record(&workspace(workspace_name), id(number))).unwrap()
}

fn hanging(number: u64) -> String {
    format!("hanging {number}")
}

/// A repository, a session that holds up every write of some of its workspaces, and another one.
async fn partly_hanging() -> (Arc<PostgresTodoRepository>, Client, Client) {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    for number in 0..HANGING {
        repository.add(&todo_of(&hanging(number), 1)).await.unwrap();
    }
    let (holder, shell) = (server.connect(&database).await, server.connect(&database).await);
    let lock = "BEGIN; SELECT * FROM todo_heads \
                WHERE position('hanging'::bytea IN workspace) > 0 FOR UPDATE";
    holder.batch_execute(lock).await.unwrap();
    (Arc::new(repository), holder, shell)
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn workspaces_that_hang_do_not_hold_up_others() {
    let (repository, holder, _) = partly_hanging().await;
    let mut calls = JoinSet::new();
    for number in 0..2 * HANGING {
        let repository = Arc::clone(&repository);
        let todo = todo_of(&hanging(number % HANGING), 2 + number);
        calls.spawn(async move { repository.add(&todo).await });
    }
    // Each of these would fail if it had to wait for one of those.
    let mut others = 0..;
    while !calls.is_empty() {
        let number = others.next().unwrap();
        repository.add(&todo(number)).await.unwrap();
        assert_eq!(
            repository.find_in(&workspace("mine"), id(number)).await.unwrap(),
            Some(todo(number))
        );
        while let Some(answer) = calls.try_join_next() {
            assert_unavailable(answer.unwrap());
        }
    }
    // They are served again when it is over.
    holder.batch_execute("COMMIT").await.unwrap();
    let again = async {
        for number in 0..HANGING {
            while repository.add(&todo_of(&hanging(number), 100)).await.is_err() {}
        }
    };
    soon(again).await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_workspace_that_hangs_is_refused_at_once() {
    let (repository, _holder, _) = partly_hanging().await;
    let call = tokio::spawn({
        let repository = Arc::clone(&repository);
        async move { repository.add(&todo_of(&hanging(0), 2)).await }
    });
    let mut others = 0..;
    while !call.is_finished() {
        repository.add(&todo(others.next().unwrap())).await.unwrap();
    }
    assert_unavailable(call.await.unwrap());
    let why = assert_unavailable(repository.add(&todo_of(&hanging(0), 2)).await);
    assert_eq!(why, "the database answers others, but has not answered this workspace lately");
    // The others that hang have not been tried.
    assert!(repository.find_in(&workspace(&hanging(1)), id(1)).await.unwrap().is_some());
}

/// As on a disk that stalls: nothing is known against a workspace while no write is answered.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn writes_that_all_hang_are_waited_for() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = Arc::new(open(&server.url(&database)).await);
    let (holder, shell) = (server.connect(&database).await, server.connect(&database).await);
    holder.batch_execute("BEGIN; LOCK TABLE todo_heads IN SHARE MODE").await.unwrap();
    let mut calls = JoinSet::new();
    // One after the other, so that no two are in one group, which would wait on one connection.
    for (number, hang) in (0..8).zip(1..) {
        let repository = Arc::clone(&repository);
        calls.spawn(async move { repository.add(&todo_of(&hanging(number), 2)).await });
        soon(async { while waiting(&shell).await < hang {} }).await;
    }
    // For longer than it takes to be given up.
    shell.batch_execute("SELECT pg_sleep(1)").await.unwrap();
    holder.batch_execute("COMMIT").await.unwrap();
    for answer in soon(calls.join_all()).await {
        answer.unwrap();
    }
}

/// A caller that does not wait leaves a connection behind, on which its statement still hangs.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_caller_that_goes_away_does_not_hold_up_others() {
    let (repository, _holder, shell) = partly_hanging().await;
    for (number, hang) in (0..8).zip(1..) {
        let todo = todo_of(&hanging(number), 2);
        tokio::select! {
            answer = repository.add(&todo) => panic!("{answer:?}"),
            () = soon(async { while waiting(&shell).await < hang {} }) => {}
        }
    }
    for number in 0..20 {
        repository.add(&todo(number)).await.unwrap();
    }
}

/// On one machine of several, a write may hang or fail where the others serve.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_is_healthy_while_a_part_of_it_hangs() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    shell.batch_execute(&lose("lost")).await.unwrap();
    let probed =
        "INSERT INTO todo_heads (workspace, todos, todo_bytes, last_number) VALUES ('', 0, 0, 0)";
    shell.batch_execute(probed).await.unwrap();
    shell.batch_execute("BEGIN; SELECT * FROM todo_heads FOR UPDATE").await.unwrap();
    for number in 0..100 {
        assert_unavailable(repository.add(&todo_of("lost", number)).await);
    }
    for _ in 0..3 {
        repository.check().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_is_unhealthy_while_it_fails_most_workspaces() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    shell.batch_execute(&lose("hanging")).await.unwrap();
    let ask = async || {
        for number in 0..200 {
            let _ = repository.add(&todo_of(&hanging(number), number)).await;
        }
    };
    ask().await;
    let why = assert_unavailable(repository.check().await);
    assert_eq!(why, "the database does not serve most requests");
    shell.batch_execute("DROP TRIGGER lost ON todo_heads").await.unwrap();
    ask().await;
    repository.check().await.unwrap();
}

/// A new connection for each would take the time of requests to the others.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn requests_to_a_lost_machine_cost_no_connections() {
    let server = postgres::shared();
    let database = server.create_database().await;
    let repository = open(&server.url(&database)).await;
    let shell = server.connect(&database).await;
    shell.batch_execute(&lose("lost")).await.unwrap();
    repository.add(&todo(1)).await.unwrap();
    let connections = async || {
        let pids = "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'todo-mcp'";
        shell.query_one(pids, &[]).await.unwrap().get::<_, Vec<i32>>(0)
    };
    let before = connections().await;
    for number in 0..5 {
        assert_unavailable(repository.add(&todo_of("lost", number)).await);
    }
    repository.add(&todo(2)).await.unwrap();
    assert_eq!(connections().await, before);
}

/// Makes writes to workspaces with this in their keys fail, as where their machine is lost.
fn lose(workspaces: &str) -> String {
    format!(
        "CREATE FUNCTION lost() RETURNS trigger LANGUAGE plpgsql AS $$ \
         BEGIN RAISE 'connection to the remote node failed' USING ERRCODE = '08006'; END $$; \
         CREATE TRIGGER lost BEFORE INSERT ON todo_heads FOR EACH ROW \
         WHEN (position('{workspaces}'::bytea IN new.workspace) > 0) EXECUTE FUNCTION lost()"
    )
}
