//! Requests to the server without its sockets, as hyper would pass them on.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt as _;
use protected_mcp::Server;
use serde_json::{Value, json};
use todo_tests::client::Client;
use todo_tests::server::TestServer;

/// Never reached. `off` would skip the counting.
pub(crate) const RATE_LIMIT: (&str, &str) = ("TODO_RATE_LIMIT", "1000000");

/// Protocol eras, whose requests differ.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

/// A request that can be sent repeatedly.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    pub(crate) fn new(client: &Client, era: Era, method: &str, params: Value) -> Self {
        let (mut headers, body) = match era {
            Era::Modern => client.modern_parts(method, params),
            Era::Legacy => (
                client.headers(),
                json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }),
            ),
        };
        let body = Bytes::from(body.to_string());
        headers.insert("host", HeaderValue::from_str(client.host()).unwrap());
        headers.insert("content-length", body.len().into());
        Self { headers, body }
    }

    pub(crate) fn tool(client: &Client, era: Era, name: &str, arguments: &Value) -> Self {
        let params = json!({ "name": name, "arguments": arguments });
        Self::new(client, era, "tools/call", params)
    }

    pub(crate) fn request(&self) -> Request<Body> {
        let mut request = Request::post("/mcp").body(Body::from(self.body.clone())).unwrap();
        request.headers_mut().clone_from(&self.headers);
        request
    }
}

/// Sends a request and reads the whole response.
pub(crate) async fn send(server: &Server, request: Request<Body>) -> (StatusCode, Bytes) {
    let response = server.answer(request).await;
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes())
}

/// Calls a tool, which must succeed, and returns its structured content.
pub(crate) async fn call_tool(server: &TestServer, name: &str, arguments: &Value) -> Value {
    let call = Call::tool(&server.owner(), Era::Legacy, name, arguments);
    let (_, body) = send(&server.server, call.request()).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let result = &answer["result"];
    assert_eq!(result["isError"], false, "{answer}");
    result["structuredContent"].clone()
}

/// Creates todos and returns the id of the last one.
pub(crate) async fn fill(server: &TestServer, count: usize) -> String {
    let mut id = String::new();
    for number in 1..=count {
        let arguments = json!({ "title": format!("Todo {number}"), "description": "two litres" });
        let created = call_tool(server, "create_todo", &arguments).await;
        created["todo"]["id"].as_str().unwrap().clone_into(&mut id);
    }
    id
}
