//! The program with a database file of its own, and direct access to that file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Method;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::issuer::{RESOURCE_ID, TestIssuer};

use crate::installation::Installation;
use crate::process::{Ended, Process};

/// A directory for the program and its file. The test issues the tokens, so that they outlive the
/// program.
pub(crate) struct Place {
    pub(crate) installation: Installation,
    issuer: TestIssuer,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let issuer = TestIssuer::start().await;
        let installation = Installation::new()
            .with("SCALEKIT_ENVIRONMENT_URL", issuer.url())
            .with("SCALEKIT_RESOURCE_ID", RESOURCE_ID)
            .with("TODO_RATE_LIMIT", "off")
            .with("RUST_LOG", "warn,todo_mcp::serve=info");
        Self { installation, issuer }
    }

    /// With another setting.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        Self { installation: self.installation.with(name, value), ..self }
    }

    /// Starts the program, and waits until it is ready.
    pub(crate) async fn serve(&self) -> Program {
        Program::ready(self.installation.spawn(&["serve"])).await
    }

    /// The same through a command that executes it.
    pub(crate) async fn serve_through(&self, command: &[&str]) -> Program {
        Program::ready(self.installation.spawn_through(command, &["serve"])).await
    }

    /// A caller with both scopes.
    pub(crate) fn caller(&self, program: &Program, subject: &str) -> Client {
        self.caller_with(program, subject, "todo:read todo:write")
    }

    /// A caller with these scopes.
    pub(crate) fn caller_with(&self, program: &Program, subject: &str, scope: &str) -> Client {
        let claims = self.issuer.claims(subject, None, scope);
        Client::new(program.endpoint.clone(), Some(self.issuer.sign(&claims)))
    }

    /// The database.
    pub(crate) fn file(&self) -> PathBuf {
        self.installation.path("todos.db")
    }

    /// The directory of the database.
    pub(crate) fn directory(&self) -> PathBuf {
        self.installation.path("")
    }

    /// A connection that bypasses the program.
    pub(crate) fn shell(&self) -> Connection {
        Connection::open(self.file()).unwrap()
    }

    /// Asserts that a start failed with code 69 and one sentence about the file, with these words.
    #[track_caller]
    pub(crate) fn assert_refused(&self, ended: &Ended, words: &str) {
        assert_eq!(ended.code, Some(69), "{ended:?}");
        let sentences: Vec<&str> =
            ended.stderr.lines().filter(|line| !line.starts_with('{')).collect();
        let [sentence] = sentences[..] else { panic!("{ended:?}") };
        let file = self.file();
        assert!(sentence.starts_with(&format!("todo-mcp: {}", file.display())), "{sentence}");
        assert!(sentence.contains(words) && sentence.contains("DATABASE_URL"), "{sentence}");
    }

    /// Asserts that SQLite's integrity check passes.
    #[track_caller]
    pub(crate) fn assert_integrity(&self) {
        let check = "SELECT group_concat(integrity_check, char(10)) FROM pragma_integrity_check";
        let found: String = self.shell().query_row(check, [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok");
    }

    /// Asserts that each write is stored with its change, and each change with its write: the numbers have no
    /// gaps, and what a todo is comes from its last change.
    #[track_caller]
    pub(crate) fn assert_history(&self) {
        const LAST: &str = "\
            SELECT workspace, todo, title, version FROM changes WHERE action != 3 \
            AND (workspace, number) IN (SELECT workspace, max(number) FROM changes \
                                        GROUP BY workspace, todo)";
        const STORED: &str = "SELECT workspace, id, title, version FROM todos";
        let shell = self.shell();
        let rows = |sql: &str| -> i64 {
            let count = format!("SELECT count(*) FROM ({sql})");
            shell.query_row(&count, [], |row| row.get(0)).unwrap()
        };
        let gaps = "SELECT workspace FROM heads \
                    WHERE (forgotten, latest, latest) IS NOT \
                          (SELECT 0, count(*), max(number) FROM changes \
                           WHERE changes.workspace = heads.workspace)";
        assert_eq!(rows(gaps), 0);
        assert_eq!(rows(&format!("{LAST} EXCEPT {STORED}")), 0, "changes without their writes");
        assert_eq!(rows(&format!("{STORED} EXCEPT {LAST}")), 0, "writes without their changes");
        assert!(rows(STORED) > 0);
    }
}

/// A running program.
pub(crate) struct Program {
    process: Process,
    endpoint: String,
}

impl Program {
    pub(crate) async fn ready(mut process: Process) -> Self {
        let ready = process.event("ready").await;
        Self { process, endpoint: ready["mcp.url"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn id(&self) -> Pid {
        id(&self.process)
    }

    /// The status of `/readyz`.
    pub(crate) async fn readiness(&self) -> u16 {
        let client = Client::new(self.endpoint.replace("/mcp", "/readyz"), None);
        client.request(Method::GET, client.headers(), "").await.status
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Waits until the log has an event with this message.
    pub(crate) async fn event(&mut self, message: &str) -> Value {
        self.process.event(message).await
    }

    pub(crate) async fn signal(&self, name: &str) {
        self.process.signal(name).await;
    }

    /// Kills it.
    pub(crate) async fn kill(self) {
        kill(self.process).await;
    }

    /// Stops it, and waits for the end.
    pub(crate) async fn stop(self) -> Ended {
        self.process.signal("TERM").await;
        self.process.ended().await.with_code(0)
    }
}

/// Kills a process.
pub(crate) async fn kill(process: Process) {
    kill_process(id(&process), Signal::KILL).unwrap();
    let ended = process.ended().await;
    assert_eq!(ended.code, None, "{ended:?}");
}

fn id(process: &Process) -> Pid {
    Pid::from_raw(process.id().cast_signed()).unwrap()
}

/// All todos of a caller, by their ids.
pub(crate) async fn everything(caller: &Client) -> BTreeMap<String, Value> {
    let mut todos = BTreeMap::new();
    let mut arguments = json!({ "limit": 200 });
    loop {
        let params = json!({ "name": "list_todos", "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let page = caller.post(call.to_string()).await.structured();
        for todo in page["todos"].as_array().unwrap() {
            let id = todo["id"].as_str().unwrap().to_owned();
            assert!(todos.insert(id, todo.clone()).is_none(), "twice: {todo}");
        }
        if page["next_cursor"].is_null() {
            return todos;
        }
        arguments["cursor"] = page["next_cursor"].clone();
    }
}
