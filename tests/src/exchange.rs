//! HTTP exchanges on an MCP endpoint, validated against the schema of their revision.
//!
//! The checks:
//!
//! - each message of the server against its definition, in JSON and in streams of events;
//! - each request that was answered with a result, and each notification that was accepted, against
//!   its definition too: a server must not take what is malformed;
//! - that each answer belongs to a request, and that each request has one;
//! - the schemas of tools, and the results of those that the server has listed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::Value;

use crate::client::MODERN;
use crate::events;
use crate::schema::{self, Complaints, Schema, UNNAMED};

/// A `POST` to the endpoint, and what came back.
#[derive(Debug)]
pub struct Exchange<'a> {
    /// The request header `MCP-Protocol-Version`.
    pub revision: Option<&'a str>,
    pub request: &'a [u8],
    pub status: u16,
    /// The response header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// The body of the response; of a stream, the part that was received.
    pub answer: &'a [u8],
}

/// Validates the exchanges of one client with one server.
#[derive(Debug, Default)]
pub struct Judge {
    /// The listed tools, by name.
    tools: Mutex<BTreeMap<String, Value>>,
}

impl Judge {
    /// The violations of the schema in an exchange.
    pub fn complaints(&self, exchange: &Exchange<'_>) -> Complaints {
        if exchange.is_refused_before_mcp() {
            return Complaints::new();
        }
        let asked = exchange.asked();
        let answers = match exchange.answers() {
            Ok(answers) => answers,
            Err(complaint) => return vec![complaint],
        };
        let mut complaints = exchange.batch();
        let mut open: Vec<&Value> = asked.iter().filter(|it| expects_an_answer(it)).collect();
        for message in &answers {
            let id = message.get("id");
            let request = open.iter().position(|request| id == request.get("id"));
            let request = request.map(|index| open.swap_remove(index));
            let schema = exchange.schema(&asked, request, message);
            match (request, message.get("result"), message.get("error")) {
                (Some(request), Some(_), None) => {
                    complaints.extend(schema.request(request));
                    complaints.extend(schema.result(request, message));
                    complaints.extend(self.tools(request, &message["result"]));
                }
                (Some(_), None, Some(_)) => complaints.extend(schema.error(message)),
                // The error is about the HTTP request as a whole.
                (None, None, Some(_)) if id.is_none() && exchange.status >= 400 => {
                    open.clear();
                    complaints.extend(schema.error(message));
                }
                (None, None, None) if id.is_none() && !open.is_empty() => {
                    complaints.extend(schema.notification(message));
                }
                _ => complaints.push(format!("no request for {message}")),
            }
        }
        // Either side may end a stream early.
        if !exchange.is_stream() {
            complaints.extend(open.iter().map(|request| format!("no response to {request}")));
        }
        if exchange.status == 202 {
            let notifications = asked.iter().filter(|message| message.get("method").is_some());
            let schema = |message| exchange.schema(&asked, None, message);
            complaints.extend(notifications.flat_map(|it| schema(it).notification(it)));
        }
        complaints
    }

    /// Remembers the tools of a list result, and validates the result of a known tool.
    fn tools(&self, request: &Value, result: &Value) -> Complaints {
        let mut tools = self.tools.lock().unwrap();
        if let Some(name) = request["params"]["name"].as_str() {
            let tool = tools.get(name).filter(|_| request["method"] == "tools/call");
            return tool.map(|tool| schema::tool_result(tool, result)).unwrap_or_default();
        }
        let listed = result["tools"].as_array().filter(|_| request["method"] == "tools/list");
        let listed = listed.into_iter().flatten();
        listed
            .flat_map(|tool| {
                tools.insert(tool["name"].as_str().unwrap_or_default().to_owned(), tool.clone());
                schema::tool(tool)
            })
            .collect()
    }
}

impl Exchange<'_> {
    /// Whether the request was rejected before MCP: authentication and overload are answered with
    /// the errors of HTTP and OAuth.
    fn is_refused_before_mcp(&self) -> bool {
        let before = matches!(self.status, 401 | 403 | 429) || self.status >= 500;
        let json: Option<Value> = serde_json::from_slice(self.answer).ok();
        before && json.is_none_or(|json| json.get("jsonrpc").is_none())
    }

    fn is_stream(&self) -> bool {
        self.content_type.is_some_and(|it| it.starts_with("text/event-stream"))
    }

    /// The messages of the client, if any.
    fn asked(&self) -> Vec<Value> {
        serde_json::from_slice(self.request).map(messages).unwrap_or_default()
    }

    /// The messages of the server.
    fn answers(&self) -> Result<Vec<Value>, String> {
        let read = |text: &[u8]| {
            serde_json::from_slice(text)
                .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(text)))
        };
        if self.is_stream() {
            let stream = String::from_utf8_lossy(self.answer);
            return events::data(&stream).iter().map(|data| read(data.as_bytes())).collect();
        }
        if self.answer.is_empty() {
            return Ok(Vec::new());
        }
        match self.content_type {
            Some("application/json") => read(self.answer).map(messages),
            other => Err(format!("unexpected media type {other:?}")),
        }
    }

    /// Only one revision has batches.
    fn batch(&self) -> Complaints {
        let answer: Value = serde_json::from_slice(self.answer).unwrap_or_default();
        let schema = Schema::of(self.revision.unwrap_or(UNNAMED));
        let batch = schema.filter(|_| answer.is_array());
        batch.map(|schema| schema.batch(&answer)).unwrap_or_default()
    }

    /// The schema for a message: that of the revision that the request names or `initialize`
    /// negotiates. Errors defined only by the newest revision are validated against it in every
    /// revision.
    fn schema(&self, asked: &[Value], request: Option<&Value>, message: &Value) -> &'static Schema {
        let newest = Schema::of(MODERN).unwrap();
        if message["error"]["code"].as_i64().is_some_and(|code| newest.names_error(code)) {
            return newest;
        }
        let initialize = request.or(asked.first()).filter(|it| it["method"] == "initialize");
        let agreed = initialize.and_then(|initialize| {
            let [answered, asked] = [&message["result"], &initialize["params"]]
                .map(|it| it["protocolVersion"].as_str().and_then(Schema::of));
            answered.or(asked)
        });
        agreed.or_else(|| Schema::of(self.revision.unwrap_or(UNNAMED))).unwrap_or(newest)
    }
}

/// The messages of a body: one, or an array of them.
fn messages(body: Value) -> Vec<Value> {
    if let Value::Array(messages) = body { messages } else { vec![body] }
}

fn expects_an_answer(message: &Value) -> bool {
    message.get("id").is_some() && message.get("result").is_none() && message.get("error").is_none()
}

#[cfg(test)]
mod tests;
