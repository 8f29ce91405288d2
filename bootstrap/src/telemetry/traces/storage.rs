//! A span for each call of the storage.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use todo_application::domain::{
    IdempotencyKey, Instant, OperatorPermit, Order, Place, ReadPermit, Recorded, Term, TermRange,
    Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, ChangeRef, Creation, CreationRequest, EarlierCall, Erased, Filter, Forgotten,
    HistoryPart, IdsByTerm, InsertError, RemoveError, Span as Part, StorageError, TodoHistory,
    TodoRepository, WriteSet, WriteSetError, Written,
};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, trace_span};

/// The target of these spans.
pub(super) const STORAGE_TARGET: &str = "todo_mcp::storage";

/// A storage whose calls are spans, if they are a part of an operation: their names, how long they take, and
/// whether the storage failed. They hold no argument and no result.
pub(crate) struct TracedStorage {
    repository: Arc<dyn TodoRepository>,
    history: Arc<dyn TodoHistory>,
    system: Option<&'static str>,
    kind: &'static str,
}

impl TracedStorage {
    /// `system` is the database, by its name in OpenTelemetry's conventions. `None` for the memory of this process.
    pub(crate) fn new(
        repository: Arc<dyn TodoRepository>,
        history: Arc<dyn TodoHistory>,
        system: Option<&'static str>,
    ) -> Self {
        // A call of a database in this process is no call of another program.
        let kind = if system == Some("postgresql") { "client" } else { "internal" };
        Self { repository, history, system, kind }
    }
}

macro_rules! span {
    ($storage:ident, $name:literal) => {{
        let operation = Span::current();
        if operation.is_none() {
            operation
        } else {
            trace_span!(
                target: STORAGE_TARGET,
                parent: &operation,
                $name,
                otel.kind = $storage.kind,
                otel.status_code = Empty,
                db.system.name = $storage.system,
                "error.type" = Empty,
            )
        }
    }};
}

async fn traced<T, E: MayBeStorage>(
    span: Span,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let outcome = call.instrument(span.clone()).await;
    if let Some(error) = outcome.as_ref().err().and_then(E::storage) {
        let kind = match error {
            StorageError::Corrupt { .. } => "corrupt",
            StorageError::Damaged(_) => "damaged",
            StorageError::Unavailable(_) => "unavailable",
        };
        span.record("error.type", kind);
        span.record("otel.status_code", "ERROR");
    }
    outcome
}

/// A refused write is an answer of the storage, and not a failure.
trait MayBeStorage {
    fn storage(&self) -> Option<&StorageError>;
}

impl MayBeStorage for StorageError {
    fn storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

macro_rules! may_be_storage {
    ($($error:ident),*) => {$(
        impl MayBeStorage for $error {
            fn storage(&self) -> Option<&StorageError> {
                if let Self::Storage(error) = self { Some(error) } else { None }
            }
        }
    )*};
}
may_be_storage!(InsertError, ChangeError, RemoveError, WriteSetError);

#[async_trait]
impl TodoRepository for TracedStorage {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        traced(span!(self, "todo_repository.find"), self.repository.find(permit, id)).await
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        traced(
            span!(self, "todo_repository.find_for_update"),
            self.repository.find_for_update(permit, id),
        )
        .await
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        traced(
            span!(self, "todo_repository.list"),
            self.repository.list(permit, filter, after, limit),
        )
        .await
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        traced(
            span!(self, "todo_repository.list_by"),
            self.repository.list_by(permit, order, filter, after, limit),
        )
        .await
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        traced(span!(self, "todo_repository.find_all"), self.repository.find_all(permit, ids)).await
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        traced(
            span!(self, "todo_repository.ids_by_term"),
            self.repository.ids_by_term(permit, ranges, after, limit),
        )
        .await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        traced(span!(self, "todo_repository.terms"), self.repository.terms(permit, range, limit))
            .await
    }

    async fn insert(&self, permit: &WritePermit, todo: &Todo) -> Result<(), InsertError> {
        traced(span!(self, "todo_repository.insert"), self.repository.insert(permit, todo)).await
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, InsertError> {
        traced(
            span!(self, "todo_repository.insert_once"),
            self.repository.insert_once(permit, todo, request),
        )
        .await
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<(), ChangeError> {
        traced(span!(self, "todo_repository.save"), self.repository.save(permit, before, after))
            .await
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<(), RemoveError> {
        traced(span!(self, "todo_repository.remove"), self.repository.remove(permit, todo, at))
            .await
    }

    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        traced(
            span!(self, "todo_repository.find_all_for_update"),
            self.repository.find_all_for_update(permit, ids),
        )
        .await
    }

    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        traced(
            span!(self, "todo_repository.find_call"),
            self.repository.find_call(permit, key, now),
        )
        .await
    }

    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        traced(span!(self, "todo_repository.write_all"), self.repository.write_all(permit, set))
            .await
    }
}

#[async_trait]
impl TodoHistory for TracedStorage {
    async fn changes(&self, permit: &ReadPermit, part: &Part) -> Result<HistoryPart, StorageError> {
        traced(span!(self, "todo_history.changes"), self.history.changes(permit, part)).await
    }

    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        traced(span!(self, "todo_history.find_changes"), self.history.find_changes(permit, changes))
            .await
    }

    async fn forget(
        &self,
        permit: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        self.history.forget(permit, until, after).await
    }

    async fn erase(
        &self,
        permit: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError> {
        self.history.erase(permit, workspace).await
    }
}
