//! Entry points for fuzzing the arguments of tools.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use protected_mcp::{
    AuthenticationError, Authenticator, AuthorizationServer, BoxError, Caller, Protection,
    Rejection, Server,
};
use todo_application::Todos;
use todo_application::domain::{
    ChangeNumber, IdempotencyKey, Instant, OperatorPermit, Order, Permission, Place, ReadPermit,
    Recorded, Sharing, Term, TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, ChangeFeed, ChangeRef, Changed, Changes, Clock, CreationRequest, EarlierCall,
    Erased, Filter, Forgotten, HistoryPart, IdSource, IdsByTerm, InsertError, Inserted,
    RemoveError, Span, StorageError, TodoHistory, TodoRepository, WriteSet, WriteSetError, Written,
};

pub use protected_mcp::fuzzing::{bearer_token, envelope};

/// The outcome of each tool with these arguments and an empty store; see
/// [`protected_mcp::fuzzing::tool_calls`].
pub fn tool_calls(arguments: &[u8]) -> Vec<Result<String, String>> {
    static SERVER: LazyLock<Option<Server>> = LazyLock::new(server);
    static CALLER: LazyLock<Arc<Caller>> = LazyLock::new(caller);
    let calls = |server| protected_mcp::fuzzing::tool_calls(server, &CALLER, arguments);
    SERVER.as_ref().map(calls).unwrap_or_default()
}

fn server() -> Option<Server> {
    let nothing = || Arc::new(Nothing);
    let todos = Todos::new(nothing(), nothing(), nothing(), nothing(), Sharing::Everyone)
        .with_history(nothing());
    let protection = Protection {
        public_url: "http://localhost".parse().ok()?,
        issuer: "http://localhost:1".to_owned(),
        authenticator: nothing(),
        authorization_server: nothing(),
    };
    crate::server(&Arc::new(todos), protection).build().ok()
}

fn caller() -> Arc<Caller> {
    let expires_at: SystemTime = UNIX_EPOCH + Duration::from_hours(1);
    let scopes = Permission::ALL.into_iter().map(Permission::scope).collect();
    Arc::new(Caller::new("usr_fuzz", expires_at).with_scopes(scopes))
}

/// Every port, with nothing behind it.
struct Nothing;

#[async_trait]
impl TodoRepository for Nothing {
    async fn find(&self, _: &ReadPermit, _: TodoId) -> Result<Option<Todo>, StorageError> {
        Ok(None)
    }
    async fn find_for_update(
        &self,
        _: &WritePermit,
        _: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        Ok(None)
    }
    async fn list(
        &self,
        _: &ReadPermit,
        _: Filter,
        _: Option<TodoId>,
        _: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        Ok(Vec::new())
    }
    async fn list_by(
        &self,
        _: &ReadPermit,
        _: Order,
        _: Filter,
        _: Place,
        _: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        Ok(Vec::new())
    }
    async fn find_all(&self, _: &ReadPermit, _: &[TodoId]) -> Result<Vec<Todo>, StorageError> {
        Ok(Vec::new())
    }
    async fn ids_by_term(
        &self,
        _: &ReadPermit,
        _: &[TermRange],
        _: Option<TodoId>,
        _: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        Ok(None)
    }
    async fn terms(
        &self,
        _: &ReadPermit,
        _: &TermRange,
        _: usize,
    ) -> Result<Vec<Term>, StorageError> {
        Ok(Vec::new())
    }
    async fn insert(&self, _: &WritePermit, _: &Todo) -> Result<Option<ChangeNumber>, InsertError> {
        Ok(None)
    }
    async fn insert_once(
        &self,
        _: &WritePermit,
        _: &Todo,
        _: &CreationRequest,
    ) -> Result<Inserted, InsertError> {
        Ok(Inserted::Now(None))
    }
    async fn save(
        &self,
        _: &WritePermit,
        _: &Todo,
        _: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError> {
        Ok(None)
    }
    async fn remove(
        &self,
        _: &WritePermit,
        _: &Todo,
        _: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError> {
        Ok(None)
    }
    async fn find_all_for_update(
        &self,
        _: &WritePermit,
        _: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        Ok(Vec::new())
    }
    async fn find_call(
        &self,
        _: &WritePermit,
        _: &IdempotencyKey,
        _: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        Ok(None)
    }
    async fn write_all(&self, _: &WritePermit, _: &WriteSet) -> Result<Written, WriteSetError> {
        Ok(Written::Now(ChangeNumber::ZERO))
    }
}

#[async_trait]
impl TodoHistory for Nothing {
    async fn changes(&self, _: &ReadPermit, _: &Span) -> Result<HistoryPart, StorageError> {
        let (latest, forgotten) = (ChangeNumber::ZERO, ChangeNumber::ZERO);
        Ok(HistoryPart { changes: Vec::new(), latest, forgotten })
    }
    async fn find_changes(
        &self,
        _: &WritePermit,
        _: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        Ok(Vec::new())
    }
    async fn forget(
        &self,
        _: &OperatorPermit,
        _: Instant,
        _: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        Ok(Forgotten { changes: 0, after: None })
    }
    async fn erase(&self, _: &OperatorPermit, _: &WorkspaceId) -> Result<Erased, StorageError> {
        Ok(Erased::default())
    }
}

impl ChangeFeed for Nothing {
    fn publish(&self, _: &WritePermit, _: TodoId) {}
    fn subscribe(&self, _: &ReadPermit) -> Box<dyn Changes> {
        Box::new(Self)
    }
}

#[async_trait]
impl Changes for Nothing {
    async fn next(&mut self) -> Changed {
        Changed::Any
    }
}

impl Clock for Nothing {
    fn now(&self) -> Instant {
        Instant::UNIX_EPOCH
    }
}

impl IdSource for Nothing {
    fn todo_id(&self, _: Instant) -> TodoId {
        TodoId::from_bytes([7; 16])
    }

    fn todo_id_after(&self, _: TodoId, _: Instant) -> TodoId {
        TodoId::from_bytes([7; 16])
    }
}

#[async_trait]
impl Authenticator for Nothing {
    async fn authenticate(&self, _: &str) -> Result<Arc<Caller>, AuthenticationError> {
        Err(Rejection::new("malformed", "no token is accepted").into())
    }
}

#[async_trait]
impl AuthorizationServer for Nothing {
    async fn metadata(&self) -> Result<Arc<str>, BoxError> {
        Err("there is none".into())
    }
}
