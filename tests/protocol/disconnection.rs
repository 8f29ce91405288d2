//! A client that disconnects cancels its own request and nothing else (R28, R40).

use std::collections::BTreeSet;

use serde_json::json;
use todo_tests::server::TestServer;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The bytes of a request that creates a todo.
fn wire(server: &TestServer, title: &str) -> String {
    let token = server.owner().headers()["authorization"].to_str().unwrap().to_owned();
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "create_todo", "arguments": { "title": title } },
    });
    let body = body.to_string();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\n\
         content-type: application/json\r\naccept: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a_disconnecting_client_leaves_no_damage() {
    let server = TestServer::start().await;
    let owner = server.owner();
    let authority = server.base.trim_start_matches("http://").to_owned();
    let mut stayed = BTreeSet::new();
    for number in 0..40 {
        // Disconnected after a part of the request, and after all of it but before the response.
        let whole = wire(&server, &format!("left {number}"));
        for sent in [whole.len() / 2, whole.len() - 1, whole.len()] {
            let mut connection = TcpStream::connect(&authority).await.unwrap();
            connection.write_all(&whole.as_bytes()[..sent]).await.unwrap();
        }
        stayed.insert(owner.create(&format!("stayed {number}")).await);
    }
    let listed = owner.call("list_todos", json!({ "limit": 200 })).await.structured();
    let listed = listed["todos"].as_array().unwrap();
    let titled = |start: &str| {
        let title = |todo: &serde_json::Value| todo["title"].as_str().unwrap().to_owned();
        listed.iter().filter(|todo| title(todo).starts_with(start)).map(title).collect::<Vec<_>>()
    };
    let ids: BTreeSet<String> = listed
        .iter()
        .filter(|todo| todo["title"].as_str().unwrap().starts_with("stayed"))
        .map(|todo| todo["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, stayed, "every acknowledged todo is stored");
    let left = titled("left");
    let distinct: BTreeSet<&String> = left.iter().collect();
    assert_eq!(
        distinct.len(),
        left.len(),
        "an incomplete request does nothing, and none runs twice"
    );
}
