//! A storage that does not answer, as the protocol says it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use todo_adapter_mcp::{
    AllowedHosts, AllowedOrigins, McpOptions, McpPorts, PublicUrl, ScopeDenial, Server,
};
use todo_adapter_storage::InProcessChangeFeed;
use todo_application::Todos;
use todo_application::domain::{
    ClientId, Instant, Organization, Permission, Permissions, Sharing, Subject, Todo, TodoId,
    Version, WorkspaceId,
};
use todo_application::ports::{
    AuthorizationServer, BoxError, Creation, CreationRequest, Filter, Principal, StorageError,
    TodoRepository, TokenVerifier, VerificationError,
};
use todo_mcp::SystemClock;
use todo_tests::SequentialIds;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many requests are worked on at once.
const IN_FLIGHT: usize = 512;

/// A storage that is not there, and an identity that lets everybody in.
struct Outage {
    subject: Subject,
    /// Who wants to know that the storage is not there waits for one of these.
    answers: Arc<Semaphore>,
}

impl Outage {
    async fn broken<T>(&self) -> Result<T, StorageError> {
        self.answers.acquire().await.unwrap().forget();
        Err(StorageError::Unavailable("the disk is gone".into()))
    }
}

#[async_trait]
impl TodoRepository for Outage {
    async fn find(&self, _: &WorkspaceId, _: TodoId) -> Result<Option<Todo>, StorageError> {
        self.broken().await
    }
    async fn list(
        &self,
        _: &WorkspaceId,
        _: Filter,
        _: Option<TodoId>,
        _: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.broken().await
    }
    async fn insert(&self, _: &Todo) -> Result<(), StorageError> {
        self.broken().await
    }
    async fn insert_once(
        &self,
        _: &Todo,
        _: &CreationRequest,
    ) -> Result<Option<Creation>, StorageError> {
        self.broken().await
    }
    async fn save(&self, _: &Todo, _: Version) -> Result<(), StorageError> {
        self.broken().await
    }
    async fn remove(
        &self,
        _: &WorkspaceId,
        _: TodoId,
        _: Option<Version>,
    ) -> Result<bool, StorageError> {
        self.broken().await
    }
}

#[async_trait]
impl TokenVerifier for Outage {
    async fn verify(&self, _: &str) -> Result<Arc<dyn Principal>, VerificationError> {
        Ok(Arc::new(Self { subject: self.subject.clone(), answers: Arc::clone(&self.answers) }))
    }
}

#[async_trait]
impl AuthorizationServer for Outage {
    async fn metadata(&self) -> Result<Arc<str>, BoxError> {
        Err("not there either".into())
    }
}

impl Principal for Outage {
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn organization(&self) -> Option<&Organization> {
        None
    }
    fn client(&self) -> Option<&ClientId> {
        None
    }
    fn permissions(&self) -> Permissions {
        Permission::ALL.into_iter().collect()
    }
    fn expires_at(&self) -> Instant {
        Instant::from_unix_millis(4_000_000_000_000).unwrap()
    }
}

/// A server with that storage, which answers as often as there are permits.
fn server(answers: &Arc<Semaphore>) -> Server {
    let outage = || {
        let subject = Subject::try_from("usr_1").unwrap();
        Arc::new(Outage { subject, answers: Arc::clone(answers) })
    };
    let public_url: PublicUrl = "http://localhost:3002".parse().unwrap();
    let options = McpOptions {
        allowed_hosts: AllowedHosts::new(&public_url, []),
        allowed_origins: AllowedOrigins::new(&public_url, []),
        public_url,
        authorization_server: "http://localhost:1".to_owned(),
        scope_denial: ScopeDenial::Challenge,
        rate_limit: None,
    };
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let (feed, clock) = (Arc::new(InProcessChangeFeed::default()), Arc::new(SystemClock));
    let ids = Arc::new(SequentialIds::default());
    let ports = McpPorts {
        todos: Arc::new(Todos::new(outage(), feed, clock, ids, Sharing::Personal)),
        verifier: outage(),
        authorization_server: outage(),
        readiness: Vec::new(),
        stopping,
    };
    todo_adapter_mcp::server(options, ports)
}

/// The status, the `Retry-After` and the body of the answer to a request of the old era.
async fn ask(server: Server, method: &str, params: Value) -> (u16, Option<String>, Value) {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = Request::post("/mcp")
        .header("host", "localhost")
        .header("authorization", "Bearer x")
        .header("content-type", "application/json")
        .body(Body::from(message.to_string()))
        .unwrap();
    let response = server.answer(request).await;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, retry_after, serde_json::from_slice(&body).unwrap())
}

/// The same, of a server whose storage says at once that it is not there.
async fn answered(method: &str, params: Value) -> (u16, Option<String>, Value) {
    ask(server(&Arc::new(Semaphore::new(1))), method, params).await
}

#[tokio::test]
async fn a_tool_says_so_in_its_result() {
    for (tool, arguments) in [
        ("list_todos", json!({})),
        ("get_todo", json!({ "todo_id": "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b" })),
        ("create_todo", json!({ "title": "x" })),
        ("create_todo", json!({ "title": "x", "idempotency_key": "k" })),
        ("delete_todo", json!({ "todo_id": "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b" })),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let (status, _, body) = answered("tools/call", params).await;
        assert_eq!((status, &body["result"]["isError"]), (200, &json!(true)), "{tool}");
        let text = body["result"]["content"][0]["text"].as_str().unwrap();
        let failure: Value = serde_json::from_str(text).unwrap();
        assert_eq!(failure["code"], "unavailable");
        assert_eq!(failure["retry_after_seconds"], 1);
        assert!(!text.contains("disk"), "the cause is for the log");
    }
}

#[tokio::test]
async fn everything_else_is_a_503_that_says_when_to_come_back() {
    let completion = json!({
        "ref": { "type": "ref/prompt", "name": "plan_my_day" },
        "argument": { "name": "focus", "value": "x" },
    });
    for (method, params) in [
        ("resources/list", json!({})),
        ("resources/read", json!({ "uri": "todo://todos" })),
        ("prompts/get", json!({ "name": "plan_my_day" })),
        ("completion/complete", completion),
    ] {
        let (status, retry_after, body) = answered(method, params).await;
        assert_eq!((status, retry_after.as_deref()), (503, Some("1")), "{method}");
        assert_eq!((&body["error"]["code"], &body["id"]), (&json!(-32603), &json!(1)));
        assert!(!body.to_string().contains("disk"), "the cause is for the log");
    }
}

/// The server takes on a bounded number of requests; whoever comes on top is told at once to come back,
/// and nobody waits in a line that grows.
#[tokio::test]
async fn what_is_too_much_at_once_is_a_503_that_says_when_to_come_back() {
    const ASKED: usize = 1_000;
    let answers = Arc::new(Semaphore::new(0));
    let server = server(&answers);
    let list = || ask(server.clone(), "tools/call", json!({ "name": "list_todos" }));
    let mut asked = JoinSet::new();
    for _ in 0..ASKED {
        asked.spawn(list());
    }
    // Nothing is answered but what is too much: the storage is silent.
    let mut refused = 0;
    while refused < ASKED - IN_FLIGHT {
        let (status, retry_after, body) = asked.join_next().await.unwrap().unwrap();
        assert_eq!((status, retry_after.as_deref()), (503, Some("1")));
        assert_eq!((&body["error"]["code"], &body["id"]), (&json!(-32603), &json!(1)));
        refused += 1;
    }
    assert_eq!(list().await.0, 503, "it is still too much");
    answers.add_permits(ASKED);
    while let Some(answered) = asked.join_next().await {
        assert_eq!(answered.unwrap().0, 200, "what was taken on is answered");
    }
    assert_eq!(list().await.0, 200, "and there is room again");
}
