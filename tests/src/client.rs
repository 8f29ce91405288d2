//! A client that can also misbehave: it sends any bytes.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::events;
use crate::exchange::{Exchange, Judge};

/// The stateless revision of the protocol.
pub const MODERN: &str = "2026-07-28";

/// Sends MCP messages to one endpoint with one token.
///
/// Messages that it builds itself are valid, so the responses must be too:
/// [`legacy`](Self::legacy), [`modern`](Self::modern) and the methods built on them validate each
/// exchange against the schema of its revision. Bodies given by the test are sent as they are.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: String,
    token: Option<String>,
    http: reqwest::Client,
    judge: Arc<Judge>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    pub fn new(endpoint: String, token: Option<String>) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_mins(1));
        let judge = Arc::default();
        Self { endpoint, token, http: http.build().unwrap(), judge }
    }

    /// The same client for another caller.
    #[must_use]
    pub fn bearing(&self, token: String) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// The value of `Host` for its endpoint.
    pub fn host(&self) -> &str {
        self.endpoint.split('/').nth(2).unwrap()
    }

    /// The headers of a well-behaved client.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("accept", HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(token) = &self.token {
            headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        headers
    }

    /// Sends a body with exactly these headers.
    pub async fn send(&self, headers: HeaderMap, body: impl Into<reqwest::Body>) -> Answer {
        self.request(reqwest::Method::POST, headers, body).await
    }

    pub async fn request(
        &self,
        method: reqwest::Method,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        self.attempt(method, headers, body).await.unwrap()
    }

    /// Sends any request to a server that may stop before it has answered.
    pub async fn attempt(
        &self,
        method: reqwest::Method,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<Answer> {
        let request = self.http.request(method, &self.endpoint).headers(headers).body(body);
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    /// Sends a body, and returns the response as a stream.
    pub async fn stream(
        &self,
        headers: HeaderMap,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Response {
        self.http.post(&self.endpoint).headers(headers).body(body).send().await.unwrap()
    }

    /// Sends a body with the headers of a well-behaved client.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.send(self.headers(), body).await
    }

    /// Sends a valid message, and validates the response against the schema.
    pub async fn exchange(&self, headers: HeaderMap, message: &Value) -> Answer {
        let request = message.to_string();
        let answer = self.send(headers.clone(), request.clone()).await;
        let complaints = self.judge.complaints(&Exchange {
            revision: headers.get("mcp-protocol-version").map(|it| it.to_str().unwrap()),
            request: request.as_bytes(),
            status: answer.status,
            content_type: answer.header("content-type"),
            answer: answer.text.as_bytes(),
        });
        assert!(complaints.is_empty(), "{complaints:#?}\n{request}\n{answer:?}");
        answer
    }

    /// A request of the old era, which names no revision.
    pub async fn legacy(&self, method: &str, params: Value) -> Answer {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.exchange(self.headers(), &body).await
    }

    /// A request of the new era, with its envelope and headers.
    pub async fn modern(&self, method: &str, params: Value) -> Answer {
        let (headers, body) = self.modern_parts(method, params);
        self.exchange(headers, &body).await
    }

    /// A request of the new era, for the test to modify before it is sent.
    pub fn modern_parts(&self, method: &str, mut params: Value) -> (HeaderMap, Value) {
        let mut headers = self.headers();
        headers.insert("mcp-protocol-version", HeaderValue::from_static(MODERN));
        headers.insert("mcp-method", method.parse().unwrap());
        if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
            headers.insert(HeaderName::from_static("mcp-name"), name.parse().unwrap());
        }
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        (headers, json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
    }

    /// Calls a tool in the old era.
    pub async fn call(&self, tool: &str, arguments: Value) -> Answer {
        self.legacy("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The titles of the first page of todos.
    pub async fn titles(&self) -> Vec<String> {
        let listed = self.call("list_todos", json!({})).await.structured();
        let todos = listed["todos"].as_array().unwrap();
        todos.iter().map(|todo| todo["title"].as_str().unwrap().to_owned()).collect()
    }

    /// Creates a todo and returns its id.
    pub async fn create(&self, title: &str) -> String {
        let answer = self.call("create_todo", json!({ "title": title })).await;
        let todo = answer.structured();
        todo["todo"]["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }
}

impl Answer {
    /// The body as JSON; of a stream of events, the last event, which is the response.
    pub fn json(&self) -> Value {
        let events =
            self.header("content-type").is_some_and(|it| it.starts_with("text/event-stream"));
        let text = if events { events::data(&self.text).pop().unwrap() } else { self.text.clone() };
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn result(&self) -> Value {
        let json = self.json();
        assert!(json.get("result").is_some(), "{self:?}");
        json["result"].clone()
    }

    pub fn structured(&self) -> Value {
        self.result()["structuredContent"].clone()
    }

    /// The text content of a tool result, which is always JSON.
    pub fn payload(&self) -> Value {
        let result = self.result();
        let text = result["content"][0]["text"].as_str().unwrap();
        serde_json::from_str(text).unwrap()
    }

    /// The `code` of a tool that failed.
    pub fn failure(&self) -> String {
        assert_eq!(self.result()["isError"], true, "{self:?}");
        assert!(self.result().get("structuredContent").is_none(), "{self:?}");
        self.payload()["code"].as_str().unwrap().to_owned()
    }

    pub fn error_code(&self) -> i64 {
        let json = self.json();
        assert_eq!(json["jsonrpc"], "2.0", "{self:?}");
        json["error"]["code"].as_i64().unwrap_or_else(|| panic!("{self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The header `WWW-Authenticate`.
    pub fn challenge(&self) -> &str {
        self.header("www-authenticate").unwrap_or_else(|| panic!("{self:?}"))
    }
}
