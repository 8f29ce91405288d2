//! Requests to the server without its sockets, as they come out of hyper.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use todo_adapter_mcp::Server;
use todo_tests::client::Client;
use todo_tests::server::TestServer;

/// High enough for a benchmark; without a limit nobody would be counted.
pub(crate) const RATE_LIMIT: (&str, &str) = ("TODO_RATE_LIMIT", "1000000");

/// The eras of the protocol, which have envelopes of their own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// A request for a method.
    pub(crate) fn new(client: &Client, era: Era, method: &str, params: Value) -> Self {
        let (mut headers, body) = match era {
            Era::Modern => client.modern_parts(method, params),
            Era::Legacy => (
                client.headers(),
                json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }),
            ),
        };
        let body = Bytes::from(body.to_string());
        headers.insert("host", HeaderValue::from_static("localhost"));
        headers.insert("content-length", body.len().into());
        Self { headers, body }
    }

    /// A call of a tool.
    pub(crate) fn tool(client: &Client, era: Era, name: &str, arguments: &Value) -> Self {
        let params = json!({ "name": name, "arguments": arguments });
        Self::new(client, era, "tools/call", params)
    }

    /// What the server gets.
    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::post("/mcp").body(Body::from(self.body.clone())).unwrap();
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn send(server: &Server, request: Request<Body>) -> (StatusCode, Bytes) {
    let response = server.answer(request).await;
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

/// Calls a tool and gives what it answers, which has to be a success.
pub(crate) async fn call_tool(server: &TestServer, name: &str, arguments: &Value) -> Value {
    let call = Call::tool(&server.owner(), Era::Legacy, name, arguments);
    let (_, body) = send(&server.server, call.request()).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let result = &answer["result"];
    assert_eq!(result["isError"], false, "{answer}");
    result["structuredContent"].clone()
}

/// Adds so many todos and gives the id of one of them.
pub(crate) async fn fill(server: &TestServer, count: usize) -> String {
    let mut id = String::new();
    for number in 1..=count {
        let arguments = json!({ "title": format!("Todo {number}"), "description": "two litres" });
        let created = call_tool(server, "create_todo", &arguments).await;
        created["todo"]["id"].as_str().unwrap().clone_into(&mut id);
    }
    id
}
