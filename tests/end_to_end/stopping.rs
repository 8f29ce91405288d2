//! A stopping program completes the requests in flight.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::installation::Installation;
use crate::server::Server;

#[tokio::test]
async fn a_request_in_flight_is_completed_when_the_program_stops() {
    for signal in ["TERM", "INT", "HUP"] {
        let mut server = Installation::new().serve().await;
        let request = UnfinishedRequest::begin(&server).await;
        server.signal(signal).await;
        server.event("stopping: waiting for requests in flight").await;

        let answer = request.finish().await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("Buy milk"), "{answer}");
        server.ended().await.with_code(0);
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut server = Installation::new().serve().await;
    let _request = UnfinishedRequest::begin(&server).await;
    server.signal("TERM").await;
    server.event("stopping: waiting for requests in flight").await;
    server.signal("INT").await;
    let ended = server.ended().await.with_code(0);
    assert!(ended.stderr.contains("not waiting for requests in flight"), "{ended:?}");
}

#[tokio::test]
async fn it_is_not_ready_before_it_accepts_no_more_connections() {
    let mut server = Installation::new().with("TODO_DRAIN_SECONDS", 600).serve().await;
    assert_eq!(server.get("/readyz").await.0, 200);
    let request = UnfinishedRequest::begin(&server).await;
    server.signal("TERM").await;
    server.event("stopping: not ready, and still serving").await;

    let (status, body) = server.get("/readyz").await;
    assert_eq!((status, body.contains("stopping")), (503, true), "{body}");
    assert_eq!(server.get("/healthz").await.0, 200);
    let answer = request.finish().await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    let another = server.caller().await.create("Buy bread").await;
    assert!(!another.is_empty());

    server.signal("TERM").await;
    server.ended().await.with_code(0);
}

#[tokio::test]
async fn no_request_is_lost_under_load_where_clients_have_time_to_leave() {
    let installation =
        Installation::new().with("TODO_DRAIN_SECONDS", 600).with("TODO_RATE_LIMIT", "off");
    let (server, outcomes) = stopped_under_load(&installation).await;
    assert!(outcomes.iter().all(|outcome| outcome.is_complete));
    server.signal("TERM").await;
    server.ended().await.with_code(0);
    assert_are_stored(&installation, &outcomes).await;
}

#[tokio::test]
async fn no_answer_is_lost_or_cut_off_under_load() {
    let installation = Installation::new().with("TODO_RATE_LIMIT", "off");
    let (server, outcomes) = stopped_under_load(&installation).await;
    server.ended().await.with_code(0);
    assert_are_stored(&installation, &outcomes).await;
}

#[tokio::test]
async fn it_can_be_stopped_as_soon_as_it_is_ready() {
    for signal in ["TERM", "INT", "HUP"] {
        let server = Installation::new().serve().await;
        server.signal(signal).await;
        let ended = server.ended().await.with_code(0);
        assert!(ended.stderr.contains("stopped"), "{ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hangup_is_ignored_under_nohup() {
    let mut program = Installation::new().spawn_through(&["nohup"], &["serve"]);
    program.event("ready").await;
    program.signal("HUP").await;
    program.signal("TERM").await;
    let ended = program.ended().await.with_code(0);
    assert!(!ended.stderr.contains("second signal"), "{ended:?}");
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_the_stop() {
    let server = Installation::new().serve().await;
    let caller = server.caller().await;
    caller.create("Buy milk").await;
    server.stop().await;
}

/// A call of `create_todo` with half of its body sent.
struct UnfinishedRequest {
    connection: TcpStream,
    rest: Vec<u8>,
}

impl UnfinishedRequest {
    /// Sends the first half, and waits until the server has begun to read it and sends `100
    /// Continue` (RFC 9110 section 10.1.1).
    async fn begin(server: &Server) -> Self {
        // Bypasses the proxy, which need not wait for the server.
        let address = server.address;
        let expect = "Expect: 100-continue\r\n";
        let (head, body) = creating_request(address, &server.token().await, expect);
        let (half, rest) = body.as_bytes().split_at(body.len() / 2);
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut go_on = *b"HTTP/1.1 100 Continue\r\n\r\n";
        connection.read_exact(&mut go_on).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&go_on), "HTTP/1.1 100 Continue\r\n\r\n");
        connection.write_all(half).await.unwrap();
        Self { connection, rest: rest.to_owned() }
    }

    /// Sends the other half, and reads to the end of the connection.
    async fn finish(mut self) -> String {
        self.connection.write_all(&self.rest).await.unwrap();
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// What came of the requests of one client.
#[derive(Debug, Default)]
struct Outcome {
    /// The ids of the todos that it was told of.
    created: Vec<String>,
    /// Whether every request was answered.
    is_complete: bool,
}

/// Sends SIGTERM to a server while clients create todos, each without a pause and until its connection ends.
async fn stopped_under_load(installation: &Installation) -> (Server, Vec<Outcome>) {
    const CLIENTS: usize = 8;
    let server = installation.serve().await;
    let token = server.token().await;
    let (answered, mut answers) = mpsc::channel(CLIENTS);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(create_until_closed(server.address, token.clone(), answered.clone()));
    }
    for _ in 0..CLIENTS {
        answers.recv().await.unwrap();
    }
    server.signal("TERM").await;
    (server, clients.join_all().await)
}

async fn create_until_closed(
    address: SocketAddr,
    token: String,
    answered: mpsc::Sender<()>,
) -> Outcome {
    let (head, body) = creating_request(address, &token, "");
    let request = head + &body;
    let mut connection = BufReader::new(TcpStream::connect(address).await.unwrap());
    let mut outcome = Outcome::default();
    loop {
        // A connection that was closed in between shows when the answer is read.
        let _ = connection.write_all(request.as_bytes()).await;
        let Some((head, answer)) = read_answer(&mut connection).await else { return outcome };
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        let id = &answer["result"]["structuredContent"]["todo"]["id"];
        outcome.created.push(id.as_str().unwrap().to_owned());
        let _ = answered.try_send(());
        if head.contains("connection: close\r\n") {
            outcome.is_complete = true;
            return outcome;
        }
    }
}

/// The head and the body of a call of `create_todo`.
fn creating_request(address: SocketAddr, token: &str, header: &str) -> (String, String) {
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "create_todo", "arguments": { "title": "Buy milk" } },
    });
    let body = call.to_string();
    let head = format!(
        "POST /mcp HTTP/1.1\r\n\
         Host: {address}\r\n\
         Authorization: Bearer {token}\r\n\
         Content-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n\
         Content-Length: {}\r\n\
         {header}\r\n",
        body.len()
    );
    (head, body)
}

/// The head and the body of the next answer; `None` if the connection ends before it. One that ends within it
/// fails the test.
async fn read_answer(connection: &mut BufReader<TcpStream>) -> Option<(String, Value)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match connection.read_line(&mut head).await {
            Ok(0) | Err(_) if head.is_empty() => return None,
            Ok(0) | Err(_) => panic!("cut off: {head}"),
            Ok(_) => {}
        }
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.expect(&head).parse().unwrap()];
    connection.read_exact(&mut body).await.expect("an answer is not cut off");
    Some((head, serde_json::from_slice(&body).unwrap()))
}

/// Asserts that a server that starts again has every todo whose creation was answered.
async fn assert_are_stored(installation: &Installation, outcomes: &[Outcome]) {
    let server = installation.serve().await;
    let caller = server.caller().await;
    let mut stored = BTreeSet::new();
    let mut arguments = json!({ "detail": "short", "limit": 200 });
    loop {
        let page = caller.call("list_todos", arguments.clone()).await.structured();
        let ids = page["todos"].as_array().unwrap().iter().map(|todo| todo["id"].as_str().unwrap());
        stored.extend(ids.map(str::to_owned));
        let Some(cursor) = page.get("next_cursor") else { break };
        arguments["cursor"] = cursor.clone();
    }
    let created: Vec<&String> = outcomes.iter().flat_map(|outcome| &outcome.created).collect();
    assert!(created.len() >= outcomes.len());
    let lost: Vec<_> = created.iter().filter(|id| !stored.contains(**id)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
