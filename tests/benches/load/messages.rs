//! Requests as clients send them, made before they are needed, and what must come back.

use std::collections::BTreeSet;

use memchr::memmem;
use serde_json::{Value, json};
use todo_tests::client::MODERN;
use todo_tests::events;

use crate::connection::Answer;
use crate::failure::{During as _, Failure, Result};

/// The last revision of the protocol that began with a handshake.
const LEGACY: &str = "2025-11-25";

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

impl Era {
    pub(crate) fn revision(self) -> &'static str {
        match self {
            Self::Legacy => LEGACY,
            Self::Modern => MODERN,
        }
    }
}

/// Where requests go.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    pub(crate) path: String,
}

/// A request without its token, and what to look for in each answer.
#[derive(Debug)]
pub(crate) struct Prepared {
    before_token: Vec<u8>,
    after_token: Vec<u8>,
    expected: Expected,
}

#[derive(Debug)]
enum Expected {
    /// The body of the request, byte for byte.
    Same,
    /// A success that holds this.
    Holds(Box<memmem::Finder<'static>>),
}

impl Prepared {
    /// A call of a tool. Each answer must hold `holds`, such as the id that was asked for.
    pub(crate) fn call(
        endpoint: &Endpoint,
        era: Era,
        tool: &str,
        arguments: &Value,
        holds: &str,
    ) -> Self {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if era == Era::Modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": era.revision(),
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "load", "version": "1.0.0" },
            });
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let expected = Expected::Holds(Box::new(memmem::Finder::new(holds).into_owned()));
        Self::new(endpoint, era, tool, body.to_string().as_bytes(), expected)
    }

    /// The body of another request, or any other, for a server that sends it back. The rest of the
    /// request is that of a call.
    pub(crate) fn echo(endpoint: &Endpoint, era: Era, tool: &str, body: &[u8]) -> Self {
        Self::new(endpoint, era, tool, body, Expected::Same)
    }

    fn new(endpoint: &Endpoint, era: Era, tool: &str, body: &[u8], expected: Expected) -> Self {
        let headers = match era {
            Era::Legacy => String::new(),
            Era::Modern => format!("mcp-method: tools/call\r\nmcp-name: {tool}\r\n"),
        };
        let Endpoint { port, path } = endpoint;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost:{port}\r\nuser-agent: load/1.0.0\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
             mcp-protocol-version: {}\r\n{headers}content-length: {}\r\n\
             authorization: Bearer ",
            era.revision(),
            body.len()
        );
        let after_token = [b"\r\n\r\n", body].concat();
        Self { before_token: head.into_bytes(), after_token, expected }
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.after_token[4..]
    }

    /// Writes the request with this token.
    pub(crate) fn write(&self, token: &str, request: &mut Vec<u8>) {
        request.clear();
        for part in [&self.before_token, token.as_bytes(), &self.after_token] {
            request.extend_from_slice(part);
        }
    }

    /// Looks at an answer: thorough enough that no error passes for a success, and cheap enough for
    /// every one.
    pub(crate) fn check(&self, answer: Answer<'_>) -> Result<()> {
        let fits = match &self.expected {
            Expected::Same => answer.body == self.body(),
            Expected::Holds(expected) => {
                expected.find(answer.body).is_some() && !is_failure(answer.body)
            }
        };
        if answer.status == 200 && fits {
            return Ok(());
        }
        let said: String = String::from_utf8_lossy(answer.body).chars().take(500).collect();
        let asked: String = String::from_utf8_lossy(self.body()).chars().take(300).collect();
        Err(Failure::new(format!("{asked} was answered with status {}: {said}", answer.status)))
    }
}

/// A JSON-RPC error, or a result that is one. What people write is inside of strings, where quotes
/// have a backslash before them.
fn is_failure(body: &[u8]) -> bool {
    [b"\"isError\":true".as_slice(), b"\"isError\": true", b"\"error\":{", b"\"error\": {"]
        .into_iter()
        .any(|sign| memmem::find(body, sign).is_some())
}

/// What a tool answered, after all that can be said about it by machine: it is a JSON-RPC response
/// with a result, and its text and its structured content are the same.
pub(crate) fn structured(answer: Answer<'_>) -> Result<Value> {
    let text = std::str::from_utf8(answer.body)?;
    let text = if answer.events {
        events::data(text).pop().ok_or_else(|| Failure::new("a stream without an event"))?
    } else {
        text.to_owned()
    };
    let read = || -> Result<Value> {
        let response: Value = serde_json::from_str(&text)?;
        let result = &response["result"];
        let content = result["content"][0]["text"].as_str();
        let content = content.ok_or_else(|| Failure::new("no text in the result"))?;
        let content: Value = serde_json::from_str(content)?;
        let structured = result["structuredContent"].clone();
        if response["id"] != 1 || result["isError"] == true || content != structured {
            return Err(Failure::new("not the result of this call"));
        }
        Ok(structured)
    };
    read().during(|| text.chars().take(500).collect())
}

/// The todo of an answer, which must have these fields.
pub(crate) fn todo(answer: Answer<'_>, fields: &Value) -> Result<Value> {
    let todo = structured(answer)?["todo"].clone();
    for (name, value) in fields.as_object().into_iter().flatten() {
        if todo[name] != *value {
            return Err(Failure::new(format!("{name} of {todo} is not {value}")));
        }
    }
    Ok(todo)
}

/// Whether an answer has these todos, and no other.
pub(crate) fn todos(answer: Answer<'_>, ids: &[String]) -> Result<()> {
    let listed = structured(answer)?["todos"].clone();
    let listed: Vec<&str> =
        listed.as_array().into_iter().flatten().filter_map(|todo| todo["id"].as_str()).collect();
    let expected: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    if listed.len() == ids.len() && listed.iter().copied().collect::<BTreeSet<_>>() == expected {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} todos are listed in place of the {} made",
        listed.len(),
        ids.len()
    )))
}
