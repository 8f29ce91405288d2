//! What one caller, or a stranger without a token, can cost the program. Beside each attack a calm caller
//! succeeds with every call.
#![cfg(target_os = "linux")]

use std::net::SocketAddr;

use serde_json::{Value, json};
use todo_tests::client::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::installation::Installation;
use crate::server::Server;

const MIB: u64 = 1024 * 1024;

/// Beside what the limits allow: threads, buffers of the allocator, the calm caller.
const MARGIN: u64 = 12 * MIB;

/// A figure of the process, in bytes.
fn memory(server: &Server, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// A caller as there are many: it looks at its todos, and adds one now and then.
struct Calm {
    client: Client,
    before: u64,
}

impl Calm {
    async fn beside(server: &Server) -> Self {
        let calm = Self { client: server.caller_named("usr_calm").await, before: 0 };
        calm.succeeds().await;
        Self { before: memory(server, "VmHWM"), ..calm }
    }

    async fn succeeds(&self) {
        for number in 0..5 {
            self.client.create(&format!("Buy {number} litres")).await;
            let listed = self.client.call("list_todos", json!({})).await;
            assert_eq!((listed.status, &listed.result()["isError"]), (200, &json!(false)));
        }
    }

    /// By how much the peak of the memory has grown.
    fn growth(&self, server: &Server) -> u64 {
        memory(server, "VmHWM") - self.before
    }
}

/// The head of a request with a token.
fn head(token: &str, length: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{length}\r\n\r\n"
    )
}

async fn connect(address: SocketAddr, text: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(text).await.unwrap();
    client
}

/// The status of the next answer.
async fn status(client: &mut TcpStream) -> String {
    let mut line = [0; 12];
    client.read_exact(&mut line).await.unwrap();
    String::from_utf8_lossy(&line[9..]).into_owned()
}

#[tokio::test]
async fn a_body_in_tiny_chunks_takes_what_it_holds() {
    let server = Installation::new().serve().await;
    let calm = Calm::beside(&server).await;
    let token = server.token_for(&json!({ "subject": "usr_greedy", "scope": "openid" })).await;
    let size = 256 * 1024;
    let chunks = format!("8\r\n{:8}\r\n", "").repeat(size / 8);
    let mut attack = JoinSet::new();
    for _ in 0..20 {
        let text = head(&token, "transfer-encoding: chunked") + &chunks;
        let address = server.address;
        attack.spawn(async move { connect(address, text.as_bytes()).await });
    }
    // Each body has arrived but for its end.
    let mut arriving = attack.join_all().await;
    calm.succeeds().await;
    let growth = calm.growth(&server);
    assert!(growth < 20 * size as u64 * 12 / 10 + MARGIN, "{growth}");
    for client in &mut arriving {
        client.write_all(b"0\r\n\r\n").await.unwrap();
        assert_eq!(status(client).await, "400");
    }
}

#[tokio::test]
async fn bodies_that_never_end_hold_the_share_of_one_caller() {
    let server = Installation::new().serve().await;
    let calm = Calm::beside(&server).await;
    let token = server.token_for(&json!({ "subject": "usr_greedy" })).await;
    let text = head(&token, "content-length: 1048576").into_bytes();
    let text = [text, vec![b' '; 1024 * 1024 - 1]].concat();
    let (refused, mut refusals) = mpsc::unbounded_channel();
    let mut attack = JoinSet::new();
    for _ in 0..60 {
        let (address, text, refused) = (server.address, text.clone(), refused.clone());
        attack.spawn(async move {
            let mut client = TcpStream::connect(address).await.unwrap();
            // A request that is refused is read to its end, or not: both are right.
            let _ = client.write_all(&text).await;
            let mut line = [0; 12];
            if client.read_exact(&mut line).await.is_ok() && line.ends_with(b"429") {
                refused.send(()).unwrap();
            }
            client
        });
    }
    // At most 16 are held; each of the others is refused as soon as it has arrived.
    for _ in 0..30 {
        refusals.recv().await.unwrap();
    }
    calm.succeeds().await;
    let growth = calm.growth(&server);
    assert!(growth < 20 * MIB + MARGIN, "{growth}");
}

#[tokio::test]
async fn unfinished_headers_take_16_kibibytes_each() {
    let server = Installation::new().serve().await;
    let calm = Calm::beside(&server).await;
    let unfinished = format!("POST /mcp HTTP/1.1\r\nhost: localhost\r\nx: {}", "y".repeat(8_000));
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        clients.push(connect(server.address, unfinished.as_bytes()).await);
    }
    calm.succeeds().await;
    let growth = calm.growth(&server);
    assert!(growth < 1_000 * 16 * 1024 + MARGIN / 2, "{growth}");
    // And none may have more.
    let client = &mut clients[0];
    client.write_all(&[b'y'; 1_000]).await.unwrap();
    assert_eq!(status(client).await, "431");
}

#[tokio::test]
async fn answers_that_are_not_read_hold_the_share_of_one_caller() {
    let server = Installation::new().with("TODO_RATE_LIMIT", "off").serve().await;
    let calm = Calm::beside(&server).await;
    let token = server.token_for(&json!({ "subject": "usr_greedy" })).await;
    let greedy = server.bearer(&token);
    for number in 0..100 {
        let arguments =
            json!({ "title": format!("Todo {number}"), "description": "x".repeat(10_000) });
        greedy.call("create_todo", arguments).await;
    }
    let list = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "list_todos", "arguments": { "limit": 100 } },
    });
    let batch = Value::Array(vec![list; 2]).to_string();
    let text = head(&token, &format!("content-length: {}", batch.len())) + &batch;
    let mut clients = Vec::new();
    for _ in 0..40 {
        let client = connect(server.address, text.as_bytes()).await;
        // The answer is ready when its first byte is here.
        client.peek(&mut [0]).await.unwrap();
        clients.push(client);
    }
    calm.succeeds().await;
    let growth = calm.growth(&server);
    // What is being written at one moment comes on top: a page as todos, as JSON, and as part of a batch.
    assert!(growth < 16 * MIB + 24 * MIB + MARGIN, "{growth}");
}

#[tokio::test]
async fn idle_connections_starve_nobody() {
    let few = ["sh", "-c", r#"ulimit -n 600; exec "$@""#, "sh"];
    let server = Installation::new().serve_through(&few).await;
    let calm = Calm::beside(&server).await;
    let mut clients = Vec::new();
    for number in 0..1_500 {
        clients.push(TcpStream::connect(server.address).await.unwrap());
        if number % 100 == 0 {
            let mut probe =
                connect(server.address, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            assert_eq!(status(&mut probe).await, "200", "after {number}");
            calm.succeeds().await;
        }
    }
}

#[tokio::test]
async fn one_caller_changing_one_todo_in_parallel_leaves_room_for_others() {
    let server = Installation::new().with("TODO_RATE_LIMIT", "off").serve().await;
    let calm = Calm::beside(&server).await;
    let greedy = server.caller_named("usr_greedy").await;
    let id = greedy.create("Buy milk").await;
    let mut attack = JoinSet::new();
    for _ in 0..300 {
        let (greedy, id) = (greedy.clone(), id.clone());
        attack.spawn(async move {
            let arguments = json!({ "todo_id": id, "completed": true });
            greedy.call("update_todo", arguments).await.status
        });
    }
    calm.succeeds().await;
    // None of the many is refused: they wait for each other.
    assert!(attack.join_all().await.iter().all(|status| *status == 200));
}

#[tokio::test]
async fn completions_cost_what_they_look_at() {
    // All callers see the same todos, so that the greedy one does not pay for creating them.
    let server = Installation::new().with("TODO_SHARING", "everyone").with("TODO_RATE_LIMIT", 5);
    let server = server.serve().await;
    let calm = Calm::beside(&server).await;
    let others = server.caller_named("usr_other").await;
    for _ in 0..40 {
        others.create(&"\u{1d538}".repeat(500)).await;
    }
    let greedy = server.caller_named("usr_greedy").await;
    let complete = json!({
        "jsonrpc": "2.0", "id": 1, "method": "completion/complete",
        "params": {
            "ref": { "type": "ref/resource", "uri": "todo://todos/{id}" },
            "argument": { "name": "id", "value": "zz zz" },
        },
    });
    let batch = Value::Array(vec![complete; 100]).to_string();
    let attack = tokio::spawn(async move { greedy.post(batch).await });
    calm.succeeds().await;
    let answers = attack.await.unwrap().json();
    let answers = answers.as_array().unwrap();
    let answered = answers.iter().filter(|answer| answer["result"].is_object()).count();
    // 50 units, of which each takes one and one for the 64 KiB that it looks at.
    assert!((10..50).contains(&answered), "{answered}");
    assert!(answers.iter().all(|it| it["result"].is_object() || it["error"]["code"] == 429));
}

#[tokio::test]
async fn a_stream_per_stranger_leaves_room_for_requests() {
    let few = ["sh", "-c", r#"ulimit -n 512; exec "$@""#, "sh"];
    let server = Installation::new().serve_through(&few).await;
    let calm = Calm::beside(&server).await;
    let mut streams = Vec::new();
    let mut refused = 0;
    // More than there are connections.
    for number in 0..260 {
        let stranger = server.caller_named(&format!("usr_{number}")).await;
        let notifications = json!({ "notifications": { "resourcesListChanged": true } });
        let (headers, body) = stranger.modern_parts("subscriptions/listen", notifications);
        let lines =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let headers = lines.collect::<Vec<_>>().join("\r\n");
        let body = body.to_string();
        let length = body.len();
        let text = format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\n{headers}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut client = connect(server.address, text.as_bytes()).await;
        match &*status(&mut client).await {
            "200" => streams.push(client),
            status => {
                assert_eq!(status, "503");
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && streams.len() > 100, "{refused}");
    calm.succeeds().await;
    let again = server.caller_named("usr_calm").await;
    assert_eq!(again.call("list_todos", json!({})).await.status, 200);
}

#[tokio::test]
async fn garbage_behind_a_request_costs_nothing() {
    let server = Installation::new().serve().await;
    let calm = Calm::beside(&server).await;
    let request = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let garbage = [request.as_bytes(), &vec![0xff; 1024 * 1024]].concat();
    let mut attack = JoinSet::new();
    for _ in 0..60 {
        let (address, garbage) = (server.address, garbage.clone());
        attack.spawn(async move {
            let mut client = TcpStream::connect(address).await.unwrap();
            // It is refused before it is read to its end, or not.
            let _ = client.write_all(&garbage).await;
            let mut answers = Vec::new();
            let _ = client.read_to_end(&mut answers).await;
            String::from_utf8_lossy(&answers).into_owned()
        });
    }
    calm.succeeds().await;
    for answers in attack.join_all().await {
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 400").count(), 1, "{answers}");
    }
    let growth = calm.growth(&server);
    assert!(growth < MARGIN, "{growth}");
}
