//! Whole requests, over a store in memory.

use divan::Bencher;
use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::server::TestServer;

use crate::requests::{self, Call, Era, RATE_LIMIT};
use crate::runtime;

/// Measures the call that `make` returns for a client and the id of one of 50 todos.
fn call(bencher: Bencher<'_, '_>, make: impl FnOnce(&Client, &str) -> Call) {
    let runtime = runtime();
    let server = runtime.block_on(TestServer::with([RATE_LIMIT]));
    let id = runtime.block_on(requests::fill(&server, 50));
    let call = make(&server.owner(), &id);
    let (status, body) = runtime.block_on(requests::send(&server.server, call.request()));
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let failed = answer["result"]["isError"] == true;
    assert!(status == 200 && answer.get("result").is_some() && !failed, "{answer}");
    bencher
        .with_inputs(|| call.request())
        .bench_local_values(|request| runtime.block_on(requests::send(&server.server, request)));
}

#[divan::bench(args = [Era::Legacy, Era::Modern])]
fn get_todo(bencher: Bencher<'_, '_>, era: Era) {
    call(bencher, |client, id| Call::tool(client, era, "get_todo", &json!({ "todo_id": id })));
}

#[divan::bench]
fn list_todos_50(bencher: Bencher<'_, '_>) {
    call(bencher, |client, _| {
        Call::tool(client, Era::Modern, "list_todos", &json!({ "limit": 50 }))
    });
}

/// The part of [`list_todos_50`] that serializing a tree would take.
#[divan::bench]
fn json_of_50_todos(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let server = runtime.block_on(TestServer::with([RATE_LIMIT]));
    runtime.block_on(requests::fill(&server, 50));
    let page = json!({ "limit": 50 });
    let list = runtime.block_on(requests::call_tool(&server, "list_todos", &page));
    bencher.bench_local(|| serde_json::to_vec(divan::black_box(&list)).unwrap());
}

#[divan::bench]
fn create_todo(bencher: Bencher<'_, '_>) {
    let arguments = json!({ "title": "Buy milk", "description": "two litres" });
    call(bencher, |client, _| Call::tool(client, Era::Modern, "create_todo", &arguments));
}

#[divan::bench]
fn update_todo(bencher: Bencher<'_, '_>) {
    call(bencher, |client, id| {
        let arguments = json!({ "todo_id": id, "title": "Buy oat milk" });
        Call::tool(client, Era::Modern, "update_todo", &arguments)
    });
}

#[divan::bench(args = [Era::Legacy, Era::Modern])]
fn tools_list(bencher: Bencher<'_, '_>, era: Era) {
    call(bencher, |client, _| Call::new(client, era, "tools/list", json!({})));
}

#[divan::bench]
fn server_discover(bencher: Bencher<'_, '_>) {
    call(bencher, |client, _| Call::new(client, Era::Modern, "server/discover", json!({})));
}
