//! What observers see.

use std::sync::Mutex;

use super::*;
use crate::{
    Admission, Affected, AnsweredRequest, Observer, Operation, PlannedChange, ResourceChanges,
    ResourceContents, ResourcePage, ResourceTemplate, Resources, ResourcesChanged,
};

/// Keeps what it sees, in words.
#[derive(Default)]
struct Witness {
    seen: Mutex<Vec<String>>,
    admits_nothing: bool,
    wants_no_details: bool,
}

impl Witness {
    fn note(&self, seen: String) {
        self.seen.lock().unwrap().push(seen);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Observer for Witness {
    fn wants_details(&self) -> bool {
        !self.wants_no_details
    }

    fn admit_change(&self, change: &PlannedChange<'_>) -> Option<Admission> {
        assert_eq!((change.method, change.name), ("tools/call", Some("add_note")));
        let admitted = if self.admits_nothing { Err("Not now.".into()) } else { Ok(()) };
        Some(Box::pin(async { admitted }))
    }

    fn operation(&self, operation: &Operation<'_>) {
        let Operation { caller, method, name, request_id, outcome, may_change, affected, .. } =
            operation;
        let name = name.unwrap_or("-");
        let affected = affected.iter().map(|it| &*it.id).collect::<Vec<_>>().join(" ");
        self.note(format!(
            "{} {method} {name} {request_id} {outcome:?} {may_change} [{affected}]",
            caller.subject()
        ));
    }

    fn request(&self, request: &AnsweredRequest<'_>) {
        let AnsweredRequest { status, caller, code, operations, .. } = request;
        let subject = caller.map_or("-", |caller| caller.subject());
        self.note(format!("{status} {subject} {} {operations}", code.unwrap_or("-")));
    }
}

fn observed(witness: Witness) -> (Server, Arc<Witness>) {
    let witness = Arc::new(witness);
    let server = builder().tool(Affecting).observer(Arc::clone(&witness) as Arc<dyn Observer>);
    (server.build().unwrap(), witness)
}

struct Affecting;
impl Tool for Affecting {
    type Scope = ReadNotes;
    type Arguments = std::collections::BTreeMap<String, String>;
    type Output = Note;
    const NAME: &'static str = "find_note";
    const DESCRIPTION: &'static str = "Returns a note.";
    const HINTS: Hints = Hints::READS;

    async fn call(&self, call: Call<ReadNotes>, _: Self::Arguments) -> Result<Note, Failure> {
        call.affects(|| {
            let [version_before, version_after, change_id] = [const { None::<u64> }; 3];
            let change_id = change_id.map(|it| it.to_string());
            vec![Affected { id: "note-1".to_owned(), version_before, version_after, change_id }]
        });
        Err(Failure::not_found("There is none."))
    }
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

#[tokio::test]
async fn each_operation_and_each_request_is_seen_once() {
    let (server, witness) = observed(Witness::default());
    let both = "notes:read notes:write";
    for (token, method, params, expected) in [
        (both, "ping", json!({}), [r"usr_1 ping - 1 Completed false []", "200 usr_1 - 1"]),
        (
            both,
            "tools/call",
            call("add_note", &json!({ "text": "x" })),
            ["usr_1 tools/call add_note 1 Completed true []", "200 usr_1 - 1"],
        ),
        (
            both,
            "tools/call",
            call("find_note", &json!({})),
            [
                r#"usr_1 tools/call find_note 1 Failed { code: "not_found" } false [note-1]"#,
                "200 usr_1 not_found 1",
            ],
        ),
        (
            both,
            "tools/call",
            call("add_note", &json!({})),
            [
                r#"usr_1 tools/call add_note 1 Failed { code: "invalid_argument" } false []"#,
                "200 usr_1 invalid_argument 1",
            ],
        ),
        (
            both,
            "tools/call",
            call("add_note", &json!({ "text": "panic" })),
            [
                r#"usr_1 tools/call add_note 1 Rejected { number: -32603, code: Some("internal") } true []"#,
                "500 usr_1 internal 1",
            ],
        ),
        (
            "notes:read",
            "tools/call",
            call("add_note", &json!({ "text": "x" })),
            [
                r#"usr_1 tools/call add_note 1 Rejected { number: 403, code: Some("insufficient_scope") } false []"#,
                "403 usr_1 insufficient_scope 1",
            ],
        ),
        (
            both,
            "made/up",
            json!({}),
            ["usr_1 unknown - 1 Rejected { number: -32601, code: None } false []", "200 usr_1 - 1"],
        ),
    ] {
        send(&server, token, method, params).await;
        assert_eq!(witness.take(), expected, "{method}");
    }
    send(&server, "-", "ping", json!({})).await;
    assert_eq!(witness.take(), ["401 - expired 0"]);
}

#[tokio::test]
async fn details_that_no_one_wants_are_not_collected() {
    let (server, witness) = observed(Witness { wants_no_details: true, ..Witness::default() });
    send(&server, "notes:read", "tools/call", call("find_note", &json!({}))).await;
    let failed = r#"usr_1 tools/call find_note  Failed { code: "not_found" } false []"#;
    assert_eq!(witness.take(), [failed, "200 usr_1 not_found 1"]);
}

#[tokio::test]
async fn the_operations_of_a_batch_are_seen_one_by_one() {
    let (server, witness) = observed(Witness::default());
    let call = call("find_note", &json!({}));
    let batch = json!([
        { "jsonrpc": "2.0", "id": "a", "method": "ping" },
        { "jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": call },
        { "jsonrpc": "2.0", "id": "c", "method": "initialize" },
    ]);
    answer_to(&server, Body::from(batch.to_string())).await;
    assert_eq!(
        witness.take(),
        [
            r#"usr_1 ping - "a" Completed false []"#,
            r#"usr_1 tools/call find_note "b" Failed { code: "not_found" } false [note-1]"#,
            r#"usr_1 initialize - "c" Rejected { number: -32600, code: None } false []"#,
            "200 usr_1 not_found 3",
        ]
    );
}

#[tokio::test]
async fn a_change_that_is_not_admitted_does_not_start() {
    let (server, witness) = observed(Witness { admits_nothing: true, ..Witness::default() });
    let params = call("add_note", &json!({ "text": "x" }));
    let reply = send(&server, "notes:write", "tools/call", params).await;
    let text = reply.body["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(text, r#"{"error":"Not now.","code":"unavailable","retry_after_seconds":5}"#);
    let failed = r#"usr_1 tools/call add_note 1 Failed { code: "unavailable" } false []"#;
    assert_eq!(witness.take(), [failed, "200 usr_1 unavailable 1"]);
    // Reading goes on.
    send(&server, "notes:read", "tools/call", call("read_team", &json!({}))).await;
    assert_eq!(witness.take()[0], "usr_1 tools/call read_team 1 Completed false []");
}

/// Resources of which there are none, and which do not change.
struct Watched;

impl Resources for Watched {
    type Scope = ReadNotes;

    fn templates(&self) -> Vec<ResourceTemplate> {
        Vec::new()
    }

    async fn list(&self, _: Call<ReadNotes>, _: Option<&str>) -> Result<ResourcePage, Failure> {
        Err(Failure::internal())
    }

    async fn read(&self, _: Call<ReadNotes>, _: &str) -> Result<ResourceContents, Failure> {
        Err(Failure::not_found("There is none."))
    }

    fn canonical_uri(&self, _: &str) -> Option<String> {
        None
    }

    fn watch(&self, _: Call<ReadNotes>) -> Result<Box<dyn ResourceChanges>, Failure> {
        Ok(Box::new(Unchanging))
    }
}

struct Unchanging;

#[async_trait]
impl ResourceChanges for Unchanging {
    async fn next(&mut self) -> Option<ResourcesChanged> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_stream_that_is_not_opened_is_seen_as_rejected() {
    let witness = Arc::new(Witness::default());
    let server = builder()
        .resources(Watched)
        .observer(Arc::clone(&witness) as Arc<dyn Observer>)
        .build()
        .unwrap();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
        "params": { "_meta": meta, "notifications": { "resourcesListChanged": true } },
    });
    let listen = |accept: &'static str| {
        let request = Request::post("/mcp")
            .header(HOST, "localhost:3002")
            .header(CONTENT_TYPE, "application/json")
            .header("accept", accept)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "subscriptions/listen")
            .header(AUTHORIZATION, "Bearer notes:read")
            .body(Body::from(body.to_string()))
            .unwrap();
        server.answer(request)
    };
    assert_eq!(listen("application/json").await.status(), StatusCode::NOT_ACCEPTABLE);
    let rejected =
        "usr_1 subscriptions/listen - 1 Rejected { number: -32600, code: None } false []";
    assert_eq!(witness.take(), [rejected, "406 usr_1 - 1"]);
    assert_eq!(listen("text/event-stream, application/json").await.status(), StatusCode::OK);
    assert_eq!(witness.take()[0], "usr_1 subscriptions/listen - 1 Completed false []");
}
