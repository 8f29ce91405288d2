//! The hot paths, each run often enough that one-time costs do not show.

use std::alloc::System;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use protected_mcp::Server;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stats_alloc::{Region, StatsAlloc};
use todo_tests::client::Client;
use todo_tests::server::TestServer;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::requests::{self, Call, Era, RATE_LIMIT};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// Measured requests per path.
const REQUESTS: usize = 100;

/// The same for the path with new tokens: signing one takes a second under callgrind.
const TOKENS: usize = 20;

/// Requests before the measured ones: after them, lazy values exist, buffers have their size, and reads
/// from SQLite run on the thread of the request.
const WARM_UP: usize = 600;

/// The same for the path with new tokens, which runs on a warm server.
const TOKENS_WARM_UP: usize = 5;

/// Todos in a page.
const PAGE: usize = 50;

/// What this program counts itself, over all requests of a path.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Allocated {
    pub(crate) path: String,
    pub(crate) requests: u64,
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

struct Path<'a> {
    name: &'static str,
    server: &'a TestServer,
    status: StatusCode,
    warm_up: usize,
    requests: usize,
    call: Box<dyn FnMut() -> Call>,
}

impl<'a> Path<'a> {
    /// Repeats one call.
    fn new(name: &'static str, server: &'a TestServer, call: Call) -> Self {
        let call = Box::new(move || call.clone());
        let (warm_up, requests) = (WARM_UP, REQUESTS);
        Self { name, server, status: StatusCode::OK, warm_up, requests, call }
    }

    fn run(mut self, runtime: &Runtime) -> Allocated {
        let server = &self.server.server;
        let mut requests = |count| (0..count).map(|_| (self.call)().request()).collect::<Vec<_>>();
        let (warm_up, counted) = (requests(self.warm_up), requests(self.requests));
        for request in warm_up {
            let (status, body) = runtime.block_on(requests::send(server, request));
            assert_eq!(status, self.status, "{}: {body:?}", self.name);
        }
        let region = Region::new(ALLOCATOR);
        let status = measured(runtime, server, counted);
        let change = region.change();
        assert_eq!(status, self.status, "{}", self.name);
        let count = |count: usize| u64::try_from(count).unwrap();
        Allocated {
            path: self.name.to_owned(),
            requests: count(self.requests),
            allocations: count(change.allocations + change.reallocations),
            bytes: count(change.bytes_allocated),
        }
    }
}

/// Runs every path and reports each.
pub(crate) fn run(report: impl Fn(&Allocated)) {
    // Log lines are formatted at the default level and discarded.
    let log = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::io::sink);
    tracing_subscriber::registry().with(EnvFilter::new("info")).with(log).init();

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("todos.db").display());
    let memory = runtime.block_on(TestServer::with([RATE_LIMIT]));
    let sqlite = runtime.block_on(TestServer::with([RATE_LIMIT, ("DATABASE_URL", &url)]));
    let metrics = ("TODO_ADMIN_ADDRESS", "127.0.0.1:0");
    let monitored = runtime.block_on(TestServer::with([RATE_LIMIT, metrics]));
    let log = directory.path().join("audit.jsonl").display().to_string();
    let url = url.replace("todos.db", "audited.db");
    let audited = [RATE_LIMIT, ("DATABASE_URL", &*url), ("TODO_AUDIT_LOG", &*log)];
    let audited = runtime.block_on(TestServer::with(audited));
    let (url, log) = (url.replace("audited", "both"), log.replace("audit", "both"));
    let both = [RATE_LIMIT, metrics, ("DATABASE_URL", &*url), ("TODO_AUDIT_LOG", &*log)];
    let both = runtime.block_on(TestServer::with(both));
    for path in paths(&runtime, [&memory, &sqlite, &monitored, &audited, &both]) {
        report(&path.run(&runtime));
    }
}

fn paths<'a>(
    runtime: &Runtime,
    [memory, sqlite, monitored, audited, both]: [&'a TestServer; 5],
) -> Vec<Path<'a>> {
    use Era::{Legacy, Modern};
    let todo = |server| json!({ "todo_id": runtime.block_on(requests::fill(server, PAGE)) });
    let [in_memory, in_sqlite, seen, in_audited, in_both] =
        [memory, sqlite, monitored, audited, both].map(todo);
    let page = json!({ "limit": PAGE });
    let create = json!({ "title": "Buy milk", "description": "two litres" });
    let tool = |name, server: &'a TestServer, era, tool, arguments| {
        Path::new(name, server, Call::tool(&server.owner(), era, tool, arguments))
    };
    let method = |name, era, method| {
        Path::new(name, memory, Call::new(&memory.owner(), era, method, json!({})))
    };
    let anonymous = Call::tool(&memory.anonymous(), Legacy, "get_todo", &in_memory);
    let (issuer, endpoint, todo, mut tokens) =
        (memory.issuer.clone(), memory.endpoint(), in_memory.clone(), 0);
    let with_new_token = move || {
        tokens += 1;
        let mut claims = issuer.claims("usr_owner", Some("org_1"), "todo:read todo:write");
        claims["jti"] = format!("tkn_{tokens:06}").into();
        let client = Client::new(endpoint.clone(), Some(issuer.sign(&claims)));
        Call::tool(&client, Legacy, "get_todo", &todo)
    };
    let (owner, mut titles) = (sqlite.owner(), 0);
    let updated = in_sqlite.clone();
    let with_new_title = move || {
        titles += 1;
        let mut arguments = updated.clone();
        arguments["title"] = format!("Buy milk {titles:06}").into();
        Call::tool(&owner, Modern, "update_todo", &arguments)
    };
    let tool_path = tool("update_todo, modern, SQLite", sqlite, Modern, "get_todo", &in_sqlite);
    let mut change = create.clone();
    change["action"] = "create".into();
    let many = json!({ "changes": vec![change; PAGE] });
    vec![
        tool("get_todo, legacy, memory", memory, Legacy, "get_todo", &in_memory),
        tool("get_todo, modern, memory", memory, Modern, "get_todo", &in_memory),
        tool("get_todo, legacy, memory, metrics", monitored, Legacy, "get_todo", &seen),
        tool("get_todo, modern, memory, metrics", monitored, Modern, "get_todo", &seen),
        tool("get_todo, legacy, SQLite", sqlite, Legacy, "get_todo", &in_sqlite),
        tool("get_todo, modern, SQLite", sqlite, Modern, "get_todo", &in_sqlite),
        tool("get_todo, modern, SQLite, audited", audited, Modern, "get_todo", &in_audited),
        tool("get_todo, modern, SQLite, both", both, Modern, "get_todo", &in_both),
        tool("list_todos of 50, modern, memory", memory, Modern, "list_todos", &page),
        tool("list_todos of 50, modern, SQLite", sqlite, Modern, "list_todos", &page),
        method("tools/list, legacy", Legacy, "tools/list"),
        method("tools/list, modern", Modern, "tools/list"),
        method("server/discover", Modern, "server/discover"),
        Path {
            status: StatusCode::UNAUTHORIZED,
            ..Path::new("get_todo without a token", memory, anonymous)
        },
        Path {
            name: "get_todo with a new token",
            server: memory,
            status: StatusCode::OK,
            warm_up: TOKENS_WARM_UP,
            requests: TOKENS,
            call: Box::new(with_new_token),
        },
        tool("create_todo, modern, memory", memory, Modern, "create_todo", &create),
        tool("create_todo, modern, SQLite", sqlite, Modern, "create_todo", &create),
        Path { call: Box::new(with_new_title), ..tool_path },
        tool("change_todos of 50 creates, modern, SQLite", sqlite, Modern, "change_todos", &many),
    ]
}

/// Callgrind recognizes it by its name. Returns the last status.
#[inline(never)]
fn measured(runtime: &Runtime, server: &Server, requests: Vec<Request<Body>>) -> StatusCode {
    runtime.block_on(async {
        let mut last = StatusCode::OK;
        for request in requests {
            (last, _) = requests::send(server, request).await;
        }
        last
    })
}
