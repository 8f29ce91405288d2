//! Storage outages, as the protocol reports them.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use protected_mcp::{
    AuthenticationError, Authenticator, AuthorizationServer, BoxError, Caller, Protection, Scopes,
    Server,
};
use serde_json::{Value, json};
use todo_adapter_storage::InProcessChangeFeed;
use todo_application::Todos;
use todo_application::domain::{
    ChangeNumber, IdempotencyKey, Instant, OperatorPermit, Order, Place, ReadPermit, Recorded,
    Sharing, Term, TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, ChangeRef, CreationRequest, EarlierCall, Erased, Filter, Forgotten, HistoryPart,
    IdsByTerm, InsertError, Inserted, RemoveError, Span, StorageError, TodoHistory, TodoRepository,
    WriteSet, WriteSetError, Written,
};
use todo_mcp::SystemClock;
use todo_tests::SequentialIds;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The limit of concurrent requests.
const AT_WORK: usize = 1_024;

/// A storage that is unavailable, and an authentication that accepts everyone.
struct Outage {
    /// A call of the storage takes a permit, and then fails.
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
    async fn find(&self, _: &ReadPermit, _: TodoId) -> Result<Option<Todo>, StorageError> {
        self.broken().await
    }
    async fn find_for_update(
        &self,
        _: &WritePermit,
        _: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        self.broken().await
    }
    async fn list(
        &self,
        _: &ReadPermit,
        _: Filter,
        _: Option<TodoId>,
        _: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.broken().await
    }
    async fn list_by(
        &self,
        _: &ReadPermit,
        _: Order,
        _: Filter,
        _: Place,
        _: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.broken().await
    }
    async fn find_all(&self, _: &ReadPermit, _: &[TodoId]) -> Result<Vec<Todo>, StorageError> {
        self.broken().await
    }
    async fn ids_by_term(
        &self,
        _: &ReadPermit,
        _: &[TermRange],
        _: Option<TodoId>,
        _: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        self.broken().await
    }
    async fn terms(
        &self,
        _: &ReadPermit,
        _: &TermRange,
        _: usize,
    ) -> Result<Vec<Term>, StorageError> {
        self.broken().await
    }
    async fn insert(&self, _: &WritePermit, _: &Todo) -> Result<Option<ChangeNumber>, InsertError> {
        Ok(self.broken().await?)
    }
    async fn insert_once(
        &self,
        _: &WritePermit,
        _: &Todo,
        _: &CreationRequest,
    ) -> Result<Inserted, InsertError> {
        Ok(self.broken().await?)
    }
    async fn save(
        &self,
        _: &WritePermit,
        _: &Todo,
        _: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError> {
        Ok(self.broken().await?)
    }
    async fn remove(
        &self,
        _: &WritePermit,
        _: &Todo,
        _: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError> {
        Ok(self.broken().await?)
    }
    async fn find_all_for_update(
        &self,
        _: &WritePermit,
        _: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.broken().await
    }
    async fn find_call(
        &self,
        _: &WritePermit,
        _: &IdempotencyKey,
        _: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        self.broken().await
    }
    async fn write_all(&self, _: &WritePermit, _: &WriteSet) -> Result<Written, WriteSetError> {
        Ok(self.broken().await?)
    }
}

#[async_trait]
impl TodoHistory for Outage {
    async fn changes(&self, _: &ReadPermit, _: &Span) -> Result<HistoryPart, StorageError> {
        self.broken().await
    }
    async fn find_changes(
        &self,
        _: &WritePermit,
        _: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        self.broken().await
    }
    async fn forget(
        &self,
        _: &OperatorPermit,
        _: Instant,
        _: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        self.broken().await
    }
    async fn erase(&self, _: &OperatorPermit, _: &WorkspaceId) -> Result<Erased, StorageError> {
        self.broken().await
    }
}

#[async_trait]
impl Authenticator for Outage {
    /// A token is the subject that it is for.
    async fn authenticate(&self, token: &str) -> Result<Arc<Caller>, AuthenticationError> {
        let expires_at = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        let scopes = Scopes::from("todo:read todo:write");
        Ok(Arc::new(Caller::new(token, expires_at).with_scopes(scopes)))
    }
}

#[async_trait]
impl AuthorizationServer for Outage {
    async fn metadata(&self) -> Result<Arc<str>, BoxError> {
        Err("not there either".into())
    }
}

/// A server with that storage, which fails as often as there are permits.
fn server(answers: &Arc<Semaphore>) -> Server {
    let outage = || Arc::new(Outage { answers: Arc::clone(answers) });
    let public_url = "http://localhost:3002".parse().unwrap();
    let protection = Protection {
        public_url,
        issuer: "http://localhost:1".to_owned(),
        authenticator: outage(),
        authorization_server: outage(),
    };
    let (feed, clock) = (Arc::new(InProcessChangeFeed::default()), Arc::new(SystemClock));
    let ids = Arc::new(SequentialIds::default());
    let todos = Todos::new(outage(), feed, clock, ids, Sharing::Personal);
    let todos = todos.with_history(outage());
    todo_adapter_mcp::server(&Arc::new(todos), protection).rate_limit(None).build().unwrap()
}

/// The status, the `Retry-After` and the body of the response to a request of the old era.
async fn ask(
    server: Server,
    subject: String,
    method: &str,
    params: Value,
) -> (u16, Option<String>, Value) {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = Request::post("/mcp")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {subject}"))
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

/// The same, with a storage that fails at once.
async fn answered(method: &str, params: Value) -> (u16, Option<String>, Value) {
    ask(server(&Arc::new(Semaphore::new(1))), "usr_1".to_owned(), method, params).await
}

#[tokio::test]
async fn a_tool_reports_an_outage_in_its_result() {
    for (tool, arguments) in [
        ("list_todos", json!({})),
        ("get_todo", json!({ "todo_id": "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b" })),
        ("create_todo", json!({ "title": "x" })),
        ("create_todo", json!({ "title": "x", "idempotency_key": "k" })),
        ("delete_todo", json!({ "todo_id": "0199e1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b" })),
        ("change_todos", json!({ "changes": [{ "action": "create", "title": "x" }] })),
        ("list_changes", json!({})),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let (status, _, body) = answered("tools/call", params).await;
        assert_eq!((status, &body["result"]["isError"]), (200, &json!(true)), "{tool}");
        let text = body["result"]["content"][0]["text"].as_str().unwrap();
        let failure: Value = serde_json::from_str(text).unwrap();
        assert_eq!(failure["code"], "unavailable");
        assert_eq!(failure["retry_after_seconds"], 1);
        assert!(!text.contains("disk"), "the cause is only logged");
    }
}

#[tokio::test]
async fn other_methods_answer_an_outage_with_503_and_retry_after() {
    let completion = json!({
        "ref": { "type": "ref/prompt", "name": "plan_my_day" },
        "argument": { "name": "focus", "value": "x" },
    });
    for (method, params) in [
        ("resources/list", json!({})),
        ("resources/read", json!({ "uri": "todo://todos" })),
        ("resources/read", json!({ "uri": "todo://changes" })),
        ("prompts/get", json!({ "name": "plan_my_day" })),
        ("prompts/get", json!({ "name": "review_changes" })),
        ("completion/complete", completion),
    ] {
        let (status, retry_after, body) = answered(method, params).await;
        assert_eq!((status, retry_after.as_deref()), (503, Some("1")), "{method}");
        assert_eq!((&body["error"]["code"], &body["id"]), (&json!(-32603), &json!(1)));
        assert!(!body.to_string().contains("disk"), "the cause is only logged");
    }
}

/// The server works on a bounded number of requests of all callers; the others are rejected at once,
/// instead of waiting in a queue that grows.
#[tokio::test]
async fn too_many_concurrent_requests_get_503_and_retry_after() {
    const ASKED: usize = 1_100;
    let answers = Arc::new(Semaphore::new(0));
    let server = server(&answers);
    let list = |subject: String| {
        ask(server.clone(), subject, "tools/call", json!({ "name": "list_todos" }))
    };
    let mut asked = JoinSet::new();
    for number in 0..ASKED {
        asked.spawn(list(format!("usr_{number}")));
    }
    // Only the excess requests are answered: the storage does not respond.
    let mut refused = 0;
    while refused < ASKED - AT_WORK {
        let (status, retry_after, body) = asked.join_next().await.unwrap().unwrap();
        assert_eq!((status, retry_after.as_deref()), (503, Some("1")));
        assert_eq!((&body["error"]["code"], &body["id"]), (&json!(-32603), &json!(1)));
        refused += 1;
    }
    assert_eq!(list("usr_late".to_owned()).await.0, 503, "still over the limit");
    answers.add_permits(ASKED);
    while let Some(answered) = asked.join_next().await {
        assert_eq!(answered.unwrap().0, 200, "an accepted request is answered");
    }
    assert_eq!(list("usr_late".to_owned()).await.0, 200, "back within the limit");
}
