//! A server of two tools, asked in process.

mod documents;
mod limits;
mod observation;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::body::{Bytes, HttpBody as _, to_bytes};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    AuthenticationError, Authenticator, AuthorizationServer, BoxError, Call, Caller, Failure,
    Hints, Implementation, Prompt, PromptArgument, PromptArguments, PromptMessage, Rejection,
    Scope, ScopeDenial, Scopes, Tool,
};

struct ReadNotes;
impl Scope for ReadNotes {
    const NAME: &'static str = "notes:read";
}

struct WriteNotes;
impl Scope for WriteNotes {
    const NAME: &'static str = "notes:write";
}

/// A bearer token is the scopes that it grants; `-` is a token that is rejected.
struct ScopesAsToken;

#[async_trait]
impl Authenticator for ScopesAsToken {
    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, AuthenticationError> {
        if token == "-" {
            return Err(Rejection::new("expired", "it has expired").into());
        }
        let caller = Caller::new("usr_1", far_future())
            .with_scopes(Scopes::from(token))
            .with_claim("team", json!("blue"));
        Ok(Arc::new(caller))
    }
}

fn far_future() -> SystemTime {
    UNIX_EPOCH + Duration::from_hours(24 * 365 * 1_000)
}

struct NoMetadata;

#[async_trait]
impl AuthorizationServer for NoMetadata {
    async fn metadata(&self) -> Result<Arc<str>, BoxError> {
        Err("none".into())
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoteArguments {
    text: String,
    /// Whether to return what there was before.
    with_previous: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct Note {
    text: String,
}

struct ReadTeam;
impl Tool for ReadTeam {
    type Scope = ReadNotes;
    type Arguments = std::collections::BTreeMap<String, String>;
    type Output = Note;
    const NAME: &'static str = "read_team";
    const TITLE: &'static str = "Read the team";
    const DESCRIPTION: &'static str = "Returns the team.";
    const HINTS: Hints = Hints::READS;

    async fn call(
        &self,
        call: Call<ReadNotes>,
        arguments: Self::Arguments,
    ) -> Result<Note, Failure> {
        assert!(!arguments.contains_key("panic"), "a tool with a fault");
        let team = call.caller().claim("team").and_then(Value::as_str).unwrap_or_default();
        Ok(Note { text: team.to_owned() })
    }

    fn meta(&self) -> Option<Value> {
        Some(json!({ "example/audience": "everyone" }))
    }
}

struct AddNote;
impl Tool for AddNote {
    type Scope = WriteNotes;
    type Arguments = NoteArguments;
    type Output = Note;
    const NAME: &'static str = "add_note";
    const TITLE: &'static str = "Add a note";
    const DESCRIPTION: &'static str = "Adds a note.";
    const HINTS: Hints = Hints::ADDS;

    async fn call(&self, _: Call<WriteNotes>, arguments: NoteArguments) -> Result<Note, Failure> {
        assert_ne!(arguments.text, "panic", "a tool with a fault");
        Ok(Note { text: arguments.text })
    }

    fn further_scopes(&self, arguments: &NoteArguments) -> &'static [&'static str] {
        if arguments.with_previous == Some(true) { &[ReadNotes::NAME] } else { &[] }
    }
}

fn builder() -> ServerBuilder {
    let protection = Protection {
        public_url: "http://localhost:3002".parse().unwrap(),
        issuer: "https://issuer.example".to_owned(),
        authenticator: Arc::new(ScopesAsToken),
        authorization_server: Arc::new(NoMetadata),
    };
    Server::builder(Implementation::new("notes", "Notes", "1.0.0"), protection)
        .tool(ReadTeam)
        .tool(AddNote)
}

struct Reply {
    status: StatusCode,
    challenge: Option<String>,
    body: Value,
}

async fn send(server: &Server, token: &str, method: &str, params: Value) -> Reply {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = Request::post("/mcp")
        .header(HOST, "localhost:3002")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = server.answer(request).await;
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Reply { status, challenge, body: serde_json::from_slice(&body).unwrap() }
}

async fn call(server: &Server, token: &str, tool: &str, arguments: Value) -> Reply {
    send(server, token, "tools/call", json!({ "name": tool, "arguments": arguments })).await
}

#[tokio::test]
async fn tools_are_listed_in_their_order_with_schemas_and_meta() {
    let server = builder().build().unwrap();
    let list = send(&server, "openid", "tools/list", json!({})).await.body;
    let tools = list["result"]["tools"].as_array().unwrap();
    assert_eq!([&tools[0]["name"], &tools[1]["name"]], ["read_team", "add_note"]);
    let schemes = json!([{ "type": "oauth2", "scopes": ["notes:read"] }]);
    assert_eq!(tools[0]["securitySchemes"], schemes);
    let meta = json!({ "example/audience": "everyone", "securitySchemes": schemes });
    assert_eq!(tools[0]["_meta"], meta);
    assert_eq!(tools[0]["inputSchema"]["properties"], json!({}));
    assert_eq!(tools[1]["inputSchema"]["required"], json!(["text"]));
    assert_eq!(tools[1]["outputSchema"]["properties"]["text"]["type"], "string");
    assert_eq!(tools[1]["annotations"]["readOnlyHint"], false);
}

#[tokio::test]
async fn a_tool_runs_only_for_a_token_with_its_scope() {
    let server = builder().build().unwrap();
    let answer = call(&server, "notes:read", "read_team", json!({})).await.body;
    assert_eq!(answer["result"]["structuredContent"], json!({ "text": "blue" }));
    assert_eq!(answer["result"]["content"][0]["text"], r#"{"text":"blue"}"#);

    // The scope is checked before the arguments.
    let denied = call(&server, "openid notes:read", "add_note", json!({ "text": 5 })).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    let challenge = denied.challenge.unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.contains("scope=\"notes:read notes:write\""), "{challenge}");
    let sentence = "Insufficient permissions: `notes:write` scope required.";
    assert_eq!(denied.body["error"]["message"], sentence);
}

#[tokio::test]
async fn a_scope_that_follows_from_the_arguments_is_required_too() {
    let server = builder().build().unwrap();
    let arguments = json!({ "text": "x", "with_previous": true });
    let denied = call(&server, "notes:write", "add_note", arguments.clone()).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert!(denied.challenge.unwrap().contains("scope=\"notes:read notes:write\""));
    let allowed = call(&server, "notes:write notes:read", "add_note", arguments).await;
    assert_eq!(allowed.status, StatusCode::OK);
    let allowed = call(&server, "notes:write", "add_note", json!({ "text": "x" })).await;
    assert_eq!(allowed.status, StatusCode::OK);
}

#[tokio::test]
async fn a_missing_scope_can_be_a_tool_result() {
    let server = builder().scope_denial(ScopeDenial::ToolError).build().unwrap();
    let denied = call(&server, "openid", "read_team", json!({})).await;
    assert_eq!((denied.status, denied.challenge), (StatusCode::OK, None));
    let result = &denied.body["result"];
    assert_eq!(result["isError"], true);
    assert!(result.get("structuredContent").is_none());
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text["code"], "insufficient_scope");
    assert_eq!(text["scope"], "notes:read");
}

#[tokio::test]
async fn a_caller_whom_no_scope_would_help_is_not_sent_to_get_one() {
    let beyond = |_: &Caller| Some(Failure::forbidden("Notes are for members."));
    let server = builder().beyond_scopes(beyond).build().unwrap();
    let denied = call(&server, "openid", "read_team", json!({})).await;
    assert_eq!((denied.status, denied.challenge), (StatusCode::OK, None));
    assert_eq!(denied.body["result"]["isError"], true);
    let arguments = json!({ "text": 5 });
    let denied = call(&server, "notes:write", "add_note", arguments).await;
    let text = denied.body["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(r#""code":"forbidden""#), "{text}");
    let allowed = call(&server, "notes:read", "read_team", json!({})).await;
    assert_eq!(allowed.body["result"]["isError"], false);
}

#[tokio::test]
async fn a_tool_that_panics_is_an_internal_error_and_the_server_goes_on() {
    let server = builder().build().unwrap();
    for (scope, tool, arguments) in [
        ("notes:write", "add_note", json!({ "text": "panic" })),
        ("notes:read", "read_team", json!({ "panic": "" })),
    ] {
        let broken = call(&server, scope, tool, arguments).await;
        assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR, "{tool}");
        assert_eq!(broken.body["error"]["code"], -32603, "{tool}");
    }
    let next = call(&server, "notes:write", "add_note", json!({ "text": "x" })).await;
    assert_eq!(next.status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_without_resources_and_prompts_does_not_offer_them() {
    let server = builder().build().unwrap();
    let params = json!({ "protocolVersion": "2025-11-25" });
    let answer = send(&server, "notes:read", "initialize", params).await.body;
    assert_eq!(answer["result"]["capabilities"], json!({ "tools": {}, "logging": {} }));
    for method in ["resources/list", "prompts/list", "prompts/get", "completion/complete"] {
        let answer = send(&server, "notes:read", method, json!({})).await.body;
        assert_eq!(answer["error"]["code"], -32601, "{method}");
    }
}

#[tokio::test]
async fn a_rejected_token_is_challenged() {
    let server = builder().build().unwrap();
    let rejected = send(&server, "-", "ping", json!({})).await;
    assert_eq!(rejected.status, StatusCode::UNAUTHORIZED);
    assert!(rejected.challenge.unwrap().contains("scope=\"notes:read notes:write\""));
    assert_eq!(rejected.body["error"], "invalid_token");
}

struct Invalid;
impl Scope for Invalid {
    const NAME: &'static str = "notes read";
}
struct ReadNothing;
impl Tool for ReadNothing {
    type Scope = Invalid;
    type Arguments = std::collections::BTreeMap<String, String>;
    type Output = Note;
    const NAME: &'static str = "read_nothing";
    const TITLE: &'static str = "Read nothing";
    const DESCRIPTION: &'static str = "Returns nothing.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, _: Call<Invalid>, _: Self::Arguments) -> Result<Note, Failure> {
        Err(Failure::internal())
    }
}

struct AddNotePrompt;
impl Prompt for AddNotePrompt {
    type Scope = ReadNotes;
    const NAME: &'static str = "add_note";
    const TITLE: &'static str = "Add a note";
    const DESCRIPTION: &'static str = "Begins a conversation about a note.";
    const ARGUMENTS: &'static [PromptArgument] = &[];

    async fn messages(
        &self,
        _: Call<ReadNotes>,
        _: PromptArguments,
    ) -> Result<Vec<PromptMessage>, Failure> {
        Ok(vec![PromptMessage::text("Add a note.")])
    }
}

#[test]
fn names_are_unique_and_scopes_valid() {
    let error = builder().tool(AddNote).build().err();
    assert_eq!(error, Some(BuildError::DuplicateName("add_note")));

    // A prompt may have the name of a tool.
    let error = builder().prompt(AddNotePrompt).build().err();
    assert_eq!(error, None);
    let error = builder().prompt(AddNotePrompt).prompt(AddNotePrompt).build().err();
    assert_eq!(error, Some(BuildError::DuplicateName("add_note")));

    let error = builder().tool(ReadNothing).build().err();
    assert_eq!(error, Some(BuildError::InvalidScope("notes read")));
}

/// The answer to a request with this body, unread.
async fn answer_to(server: &Server, body: Body) -> Response {
    let request = Request::post("/mcp")
        .header(HOST, "localhost:3002")
        .header(CONTENT_TYPE, "application/json")
        .header(AUTHORIZATION, "Bearer notes:read notes:write")
        .body(body)
        .unwrap();
    server.answer(request).await
}

#[tokio::test]
async fn no_member_is_accepted_twice() {
    let server = builder().prompt(AddNotePrompt).build().unwrap();
    let answer = async |message: &str| {
        let answer = answer_to(&server, Body::from(message.to_owned())).await;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
    };
    let call = |params: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{params}}}}}"#)
    };
    // A struct, a map, and what is inside of another argument.
    for arguments in [
        r#""name":"add_note","arguments":{"text":"a","text":"b"}"#,
        r#""name":"read_team","arguments":{"text":"a","text":"b"}"#,
        r#""name":"read_team","arguments":{"text":"a","te\u0078t":"b"}"#,
    ] {
        let (_, text) = answer(&call(arguments)).await;
        assert!(text.contains("Invalid argument `text`: it is given twice."), "{text}");
    }
    let (status, text) = answer(&call(r#""name":"read_team","name":"add_note""#)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("each of its members once"), "{text}");
    for envelope in [
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{},"params":{}}"#,
        r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    ] {
        let (status, text) = answer(envelope).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{envelope}");
        assert!(text.contains("each once"), "{text}");
    }
    for params in [
        r#""ref":{"type":"ref/prompt","name":"add_note","name":"x"},"argument":{"name":"a","value":""}"#,
        r#""ref":{"type":"ref/prompt","type":"ref/prompt","name":"add_note"},"argument":{"name":"a","value":""}"#,
        r#""ref":{"type":"ref/prompt","name":"add_note"},"argument":{"name":"a","name":"b","value":""}"#,
    ] {
        let (_, text) = answer(&call(params).replace("tools/call", "completion/complete")).await;
        assert!(text.contains("`completion/complete` needs"), "{text}");
    }
}
