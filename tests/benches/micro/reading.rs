//! Parsing a request.

use divan::{Bencher, black_box};
use http_body_util::BodyExt as _;
use todo_tests::server::TestServer;

use crate::requests::{Call, Era};
use crate::runtime;

fn read(bencher: Bencher<'_, '_>, era: Era) {
    let client = runtime().block_on(TestServer::start()).owner();
    let arguments = serde_json::json!({ "todo_id": "01990000-0000-7000-8000-000000000000" });
    let (head, body) = Call::tool(&client, era, "get_todo", &arguments).request().into_parts();
    let body = runtime().block_on(body.collect()).unwrap().to_bytes();
    let headers = head.headers.iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect();
    let read = || todo_adapter_mcp::fuzzing::envelope(black_box(&headers), black_box(&body));
    assert_eq!(read(), Ok(()));
    bencher.bench_local(read);
}

/// Includes building the header map, as hyper does.
#[divan::bench]
fn legacy(bencher: Bencher<'_, '_>) {
    read(bencher, Era::Legacy);
}

#[divan::bench]
fn modern(bencher: Bencher<'_, '_>) {
    read(bencher, Era::Modern);
}

#[divan::bench]
fn bearer_header(bencher: Bencher<'_, '_>) {
    let value = [b"Bearer ", [b'x'; 800].as_slice()].concat();
    bencher.bench_local(|| todo_adapter_mcp::fuzzing::bearer_token(black_box(&value)).is_some());
}
