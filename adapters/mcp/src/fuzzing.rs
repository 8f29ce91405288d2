//! Doors for fuzzing: what reads the bytes of strangers.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use futures_util::FutureExt as _;
use serde_json::value::RawValue;
use todo_application::Todos;
use todo_application::domain::{
    ClientId, Instant, Organization, Permission, Permissions, Sharing, Subject, Todo, TodoId,
    Version, WorkspaceId,
};
use todo_application::ports::{
    ChangeFeed, Changed, Changes, Clock, Creation, CreationRequest, Filter, IdSource, Principal,
    StorageError, TodoRepository,
};

use crate::envelope::{self, Message, Payload};
use crate::{bearer, era, tools};

/// The token in the value of an `Authorization` header.
pub fn bearer_token(credentials: &[u8]) -> Option<&[u8]> {
    bearer::bearer_token(credentials)
}

/// Reads the body of a request and tells its era, or the code of the JSON-RPC error that answers
/// it. Headers that HTTP does not allow never get here, and are left out.
pub fn envelope(headers: &[(&[u8], &[u8])], body: &[u8]) -> Result<(), i32> {
    let headers: HeaderMap = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        })
        .collect();
    let message = |message: Message<'_>| match message {
        Message::OneWay => Ok(()),
        Message::Request(request) => {
            era::of(&request, &headers).map(|_| ()).map_err(|error| error.code())
        }
    };
    match envelope::read(body).map_err(|(_, error)| error.code())? {
        Payload::One(one) => message(one),
        Payload::Batch(messages) => messages.into_iter().try_for_each(|one| {
            message(envelope::read_message(one.get()).map_err(|(_, error)| error.code())?)
        }),
    }
}

/// What each tool makes of these arguments over an empty store: the JSON of its success, or the
/// sentence of its failure. Nothing if they are no object, as which they arrive.
pub fn tool_calls(arguments: &[u8]) -> Vec<Result<String, String>> {
    let Ok(arguments) = serde_json::from_slice::<&RawValue>(arguments) else { return Vec::new() };
    if !envelope::is_object(arguments) {
        return Vec::new();
    }
    let nothing = || Arc::new(Nothing(Subject::try_from("usr_fuzz").ok()));
    let todos = Todos::new(nothing(), nothing(), nothing(), nothing(), Sharing::Everyone);
    tools::call_each(&todos, &*nothing(), arguments.get()).now_or_never().unwrap_or_default()
}

/// Every port, with nothing behind it.
struct Nothing(Option<Subject>);

#[async_trait]
impl TodoRepository for Nothing {
    async fn find(&self, _: &WorkspaceId, _: TodoId) -> Result<Option<Todo>, StorageError> {
        Ok(None)
    }
    async fn list(
        &self,
        _: &WorkspaceId,
        _: Filter,
        _: Option<TodoId>,
        _: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        Ok(Vec::new())
    }
    async fn insert(&self, _: &Todo) -> Result<(), StorageError> {
        Ok(())
    }
    async fn insert_once(
        &self,
        _: &Todo,
        _: &CreationRequest,
    ) -> Result<Option<Creation>, StorageError> {
        Ok(None)
    }
    async fn save(&self, _: &Todo, _: Version) -> Result<(), StorageError> {
        Ok(())
    }
    async fn remove(
        &self,
        _: &WorkspaceId,
        _: TodoId,
        _: Option<Version>,
    ) -> Result<bool, StorageError> {
        Ok(false)
    }
}

impl ChangeFeed for Nothing {
    fn publish(&self, _: &WorkspaceId, _: TodoId) {}
    fn subscribe(&self, _: &WorkspaceId) -> Box<dyn Changes> {
        Box::new(Self(None))
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
}

impl Principal for Nothing {
    #[expect(clippy::expect_used, reason = "the fuzz targets make it with a subject")]
    fn subject(&self) -> &Subject {
        self.0.as_ref().expect("a subject")
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
        Instant::UNIX_EPOCH
    }
}
