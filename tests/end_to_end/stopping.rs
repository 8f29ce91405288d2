//! A stopping program completes the requests in flight.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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
        let call = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": { "name": "create_todo", "arguments": { "title": "Buy milk" } },
        });
        let body = call.to_string().into_bytes();
        let (half, rest) = body.split_at(body.len() / 2);
        // Bypasses the proxy, which need not wait for the server.
        let (address, token) = (server.address, server.token().await);
        let head = format!(
            "POST /mcp HTTP/1.1\r\n\
             Host: {address}\r\n\
             Authorization: Bearer {token}\r\n\
             Content-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\n\
             Content-Length: {}\r\n\
             Expect: 100-continue\r\n\r\n",
            body.len()
        );
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
