//! Several programs on one database.

use serde_json::json;
use todo_tests::client::Client;
use todo_tests::issuer::{RESOURCE_ID, TestIssuer};
use todo_tests::postgres;

use crate::installation::Installation;
use crate::server::Server as Program;
use crate::{GUARDED, PASSWORD, everything, guarded, open};

const TITLE: &str = "MILK-THAT-NOBODY-KNOWS-OF";
const DESCRIPTION: &str = "OATS-THAT-NOBODY-KNOWS-OF";

/// Two programs on one database, and the same user at each of them.
pub(crate) struct Pair {
    pub(crate) here: Client,
    pub(crate) there: Client,
    _programs: (Program, Program),
}

impl Pair {
    pub(crate) async fn start(server: &postgres::Server) -> Self {
        Self::on(&server.fresh().await).await
    }

    /// On the database of this URL.
    pub(crate) async fn on(url: &str) -> Self {
        let issuer = TestIssuer::start().await;
        let installation = Installation::new()
            .with("DATABASE_URL", url)
            .with("SCALEKIT_ENVIRONMENT_URL", issuer.url())
            .with("SCALEKIT_RESOURCE_ID", RESOURCE_ID);
        let programs = tokio::join!(installation.serve(), installation.serve());
        let token = issuer.sign(&issuer.claims("usr_1", Some("org_1"), "todo:read todo:write"));
        let (here, there) = (programs.0.bearer(&token), programs.1.bearer(&token));
        Self { here, there, _programs: programs }
    }
}

/// A user cannot tell which of them answered.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn two_servers_on_one_database_act_as_one() {
    let server = postgres::shared();
    let Pair { here, there, _programs } = Pair::start(server).await;

    let mut ids = Vec::new();
    for number in 0..10 {
        let (maker, changer) = if number % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let id = maker.create("Buy milk").await;
        let change = json!({ "todo_id": id, "completed": number < 4, "expected_version": 1 });
        changer.call("update_todo", change.clone()).await.structured();
        if number < 4 {
            let late = maker.call("update_todo", change).await;
            assert_eq!(late.failure(), "version_conflict", "{late:?}");
        }
        ids.push(id);
    }
    let first = here.call("list_todos", json!({ "limit": 6 })).await.structured();
    let rest = json!({ "limit": 6, "cursor": first["next_cursor"] });
    let rest = there.call("list_todos", rest).await.structured();
    let listed = [&first, &rest].map(|page| page["todos"].as_array().unwrap().clone()).concat();
    let listed: Vec<&str> = listed.iter().map(|todo| todo["id"].as_str().unwrap()).collect();
    assert_eq!(listed.len(), ids.len());
    assert!(ids.iter().all(|id| listed.contains(&id.as_str())), "{ids:?} in {listed:?}");
    for id in ids {
        there.call("delete_todo", json!({ "todo_id": id })).await.structured();
        let gone = here.call("get_todo", json!({ "todo_id": id })).await;
        assert_eq!(gone.failure(), "not_found");
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn passwords_and_user_content_are_neither_printed_nor_logged() {
    let server = postgres::shared();
    let url = guarded(server).await;
    let mut said = String::new();
    let installation = Installation::new().with("DATABASE_URL", &url).with("RUST_LOG", "trace");
    for command in ["check", "migrate", "doctor"] {
        let ended = installation.run(&[command]).await;
        said += &(ended.stdout + &ended.stderr);
    }
    for format in ["text", "json"] {
        let installation = Installation::new()
            .with("DATABASE_URL", &url)
            .with("RUST_LOG", "trace")
            .with("LOG_FORMAT", format);
        if format == "text" {
            let mut process = installation.spawn(&["serve"]);
            process.printed("Ctrl-C stops the server.").await;
            process.signal("TERM").await;
            let ended = process.ended().await.with_code(0);
            assert!(ended.stdout.contains(&format!("postgres://{GUARDED}@127.0.0.1")), "{ended:?}");
            said += &(ended.stdout + &ended.stderr);
            continue;
        }
        let server = installation.serve().await;
        let caller = server.caller().await;
        let todo = json!({ "title": TITLE, "description": DESCRIPTION });
        let id = caller.call("create_todo", todo).await.structured()["todo"]["id"].clone();
        let change = json!({ "todo_id": id, "title": format!("{TITLE}!"), "completed": true });
        caller.call("update_todo", change).await.structured();
        caller.call("list_todos", json!({})).await.structured();
        let ended = server.stop().await;
        said += &(ended.stdout + &ended.stderr);
    }
    // The driver's log of the statement exists, or this test would prove nothing.
    assert!(said.contains("executing statement"), "{said}");
    for secret in [PASSWORD, TITLE, DESCRIPTION] {
        let held = said.lines().find(|line| line.contains(secret));
        assert_eq!(held, None, "{secret}");
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn a_missing_database_ends_the_program_with_one_sentence() {
    let server = postgres::shared();
    let missing = guarded(server).await.replace("/todos", "/nothing_like_todos");
    let refused = format!("postgres://{GUARDED}:{PASSWORD}@127.0.0.1:1,localhost:2/todos");
    for (url, words) in [(missing, "does not exist: create it"), (refused, "cannot be reached")] {
        for command in ["serve", "migrate"] {
            let installation = Installation::new().with("DATABASE_URL", &url);
            let ended = installation.run(&[command]).await.with_code(69);
            assert!(ended.stderr.contains(words) && ended.stdout.is_empty(), "{ended:?}");
            assert!(
                ended.stderr.contains(&format!("todo-mcp: postgres://{GUARDED}@")),
                "{ended:?}"
            );
            assert!(!ended.stderr.contains(PASSWORD), "{ended:?}");
        }
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "needs PostgreSQL: see tests/README.md")]
async fn migrate_creates_the_tables() {
    let server = postgres::shared();
    let url = guarded(server).await;
    let installation = Installation::without_settings().with("DATABASE_URL", &url);
    let ended = installation.run(&["migrate"]).await.with_code(0);
    assert!(ended.stdout.starts_with("The database is up to date: postgres://"), "{ended:?}");
    assert_eq!(everything(&open(&url).await).await, []);
}
