//! What `todo-mcp doctor` finds in a database.

use todo_mcp::doctor::{Finding, Verdict, examine};
use todo_mcp::settings::Settings;
use todo_tests::postgres;

use super::*;

/// The findings on the database of this URL.
async fn findings(url: &str) -> Vec<Finding> {
    let settings = [("DATABASE_URL", url), ("PORT", "0"), ("EMULATOR_PORT", "0")];
    let report = soon(examine(&Settings::from_iter(settings), None)).await;
    let findings = report.findings().filter(|finding| finding.check().starts_with("database"));
    findings.cloned().collect()
}

#[track_caller]
fn assert_found(findings: &[Finding], check: &str, verdict: Verdict, words: &[&str]) {
    let found = findings.iter().find(|finding| finding.check() == check).unwrap();
    assert_eq!(found.verdict(), verdict, "{found:?}");
    let text = format!("{} {}", found.seen(), found.advice().unwrap_or_default());
    for word in words {
        assert!(text.contains(word), "{word} in {text}");
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_database_is_described_and_left_as_it_was() {
    let server = Server::new().with("max_connections=25").with("synchronous_commit=off").start();
    let database = server.create_database().await;
    let url = server.url(&database);
    let new = findings(&url).await;
    assert_found(&new, "database", Verdict::Pass, &["PostgreSQL 1", "the first start creates"]);
    let words = ["max_connections is 25", "1 server with up to 9", "at least 9 x (servers"];
    assert_found(&new, "database: connections", Verdict::Warn, &words);
    assert_found(&new, "database: sessions", Verdict::Pass, &[]);
    let words = ["off by default", "Servers set it to on for themselves"];
    assert_found(&new, "database: durability", Verdict::Pass, &words);
    assert_found(&new, "database: encoding", Verdict::Pass, &["UTF8"]);

    open(&url).await;
    assert_found(&findings(&url).await, "database", Verdict::Pass, &["schema 10"]);

    // As Citus answers, whose workers have settings of their own.
    let workers = "CREATE FUNCTION run_command_on_workers(command text) \
        RETURNS TABLE (nodename text, nodeport int, success bool, result text) LANGUAGE sql AS $$ \
        VALUES ('w1', 5432, true, 'on'), ('w2', 5433, true, 'off') $$";
    let shell = server.connect(&database).await;
    shell.batch_execute(workers).await.unwrap();
    let found = findings(&url).await;
    assert_found(&found, "database: durability", Verdict::Fail, &["is not on at w2:5433"]);
    let silent = "CREATE OR REPLACE FUNCTION run_command_on_workers(command text) \
        RETURNS TABLE (nodename text, nodeport int, success bool, result text) LANGUAGE plpgsql AS $$ \
        BEGIN RAISE 'no worker answers'; END $$";
    shell.batch_execute(silent).await.unwrap();
    let found = findings(&url).await;
    assert_found(&found, "database: durability", Verdict::Warn, &["no worker answers"]);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn what_makes_a_database_unfit_is_named() {
    let server = postgres::shared();
    let shell = server.connect("postgres").await;
    let other = "CREATE DATABASE unfit TEMPLATE template0 ENCODING 'LATIN1'";
    shell.batch_execute(other).await.unwrap();
    let found = findings(&server.url("unfit")).await;
    assert_found(&found, "database: encoding", Verdict::Fail, &["LATIN1", "encoding UTF8"]);
    assert_found(&found, "database: durability", Verdict::Fail, &["fsync is off"]);
    let found = findings(&server.url("nowhere")).await;
    assert_found(&found, "database", Verdict::Fail, &["nowhere does not exist: create it"]);
    assert_eq!(found.len(), 1);
}

#[tokio::test]
#[cfg_attr(not(has_pgbouncer), ignore = "needs PgBouncer: see tests/README.md")]
async fn a_pooler_that_shares_sessions_is_found() {
    let server = postgres::shared();
    let database = server.create_database().await;
    for (mode, verdict) in
        [("session", Verdict::Pass), ("transaction", Verdict::Fail), ("statement", Verdict::Fail)]
    {
        let pooler = server.pooler(&[&format!("pool_mode = {mode}")]);
        let found = findings(&pooler.url(&database)).await;
        assert_found(&found, "database: sessions", verdict, &[]);
        assert_found(&found, "database: connections", Verdict::Pass, &["21 servers"]);
    }
}
