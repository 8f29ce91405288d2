//! The calls of the storage, observed: how long they take, and whether the storage failed.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use async_trait::async_trait;
use todo_application::domain::{
    ChangeNumber, IdempotencyKey, Instant, OperatorPermit, Order, Place, ReadPermit, Recorded,
    Term, TermRange, Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, ChangeRef, CreationRequest, EarlierCall, Erased, Filter, Forgotten, HistoryPart,
    IdsByTerm, InsertError, Inserted, RemoveError, Span as Part, StorageError, TodoHistory,
    TodoRepository, WriteSet, WriteSetError, Written,
};
use tracing::{Instrument as _, Span};

/// Sees each call of the storage.
pub(crate) trait StorageObserver: Send + Sync {
    /// The span of a call that begins: of a method of a port, such as `todo_repository.find`.
    fn begins(&self, _call: &'static str) -> Span {
        Span::none()
    }

    /// A call has ended. One that is cancelled does not.
    fn ended(&self, call: &StorageCall<'_>);
}

/// A call that has ended.
pub(crate) struct StorageCall<'a> {
    pub(crate) name: &'static str,
    pub(crate) span: &'a Span,
    pub(crate) elapsed: Duration,
    /// How the storage failed, in a word. A refused write is an answer of it, and no failure.
    pub(crate) failure: Option<&'static str>,
}

/// A port whose calls are observed.
pub(crate) struct Observed<P: ?Sized> {
    port: Arc<P>,
    observers: Arc<[Arc<dyn StorageObserver>]>,
}

impl<P: ?Sized> Observed<P> {
    pub(crate) fn new(port: Arc<P>, observers: &Arc<[Arc<dyn StorageObserver>]>) -> Self {
        Self { port, observers: Arc::clone(observers) }
    }

    async fn observe<T, E: OfStorage>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let spans = self.observers.iter().map(|observer| observer.begins(name));
        let span = spans.reduce(|one, other| if one.is_none() { other } else { one });
        let span = span.unwrap_or_else(Span::none);
        let began = Moment::now();
        let result = if span.is_none() { call.await } else { call.instrument(span.clone()).await };
        let failure = result.as_ref().err().and_then(E::of_storage).map(kind);
        let call = StorageCall { name, span: &span, elapsed: began.elapsed(), failure };
        self.observers.iter().for_each(|observer| observer.ended(&call));
        result
    }
}

fn kind(error: &StorageError) -> &'static str {
    match error {
        StorageError::Corrupt { .. } => "corrupt",
        StorageError::Damaged(_) => "damaged",
        StorageError::Unavailable(_) => "unavailable",
    }
}

/// The errors of the ports, which may be one of the storage.
trait OfStorage {
    fn of_storage(&self) -> Option<&StorageError>;
}

impl OfStorage for StorageError {
    fn of_storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

macro_rules! of_storage {
    ($($error:ident)*) => {$(
        impl OfStorage for $error {
            fn of_storage(&self) -> Option<&StorageError> {
                if let Self::Storage(error) = self { Some(error) } else { None }
            }
        }
    )*};
}

of_storage! { InsertError ChangeError RemoveError WriteSetError }

#[async_trait]
impl TodoRepository for Observed<dyn TodoRepository> {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        self.observe("todo_repository.find", self.port.find(permit, id)).await
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        self.observe("todo_repository.find_for_update", self.port.find_for_update(permit, id)).await
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.observe("todo_repository.list", self.port.list(permit, filter, after, limit)).await
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.observe(
            "todo_repository.list_by",
            self.port.list_by(permit, order, filter, after, limit),
        )
        .await
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.observe("todo_repository.find_all", self.port.find_all(permit, ids)).await
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        self.observe(
            "todo_repository.ids_by_term",
            self.port.ids_by_term(permit, ranges, after, limit),
        )
        .await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        self.observe("todo_repository.terms", self.port.terms(permit, range, limit)).await
    }

    async fn insert(
        &self,
        permit: &WritePermit,
        todo: &Todo,
    ) -> Result<Option<ChangeNumber>, InsertError> {
        self.observe("todo_repository.insert", self.port.insert(permit, todo)).await
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Inserted, InsertError> {
        self.observe("todo_repository.insert_once", self.port.insert_once(permit, todo, request))
            .await
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError> {
        self.observe("todo_repository.save", self.port.save(permit, before, after)).await
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError> {
        self.observe("todo_repository.remove", self.port.remove(permit, todo, at)).await
    }

    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.observe(
            "todo_repository.find_all_for_update",
            self.port.find_all_for_update(permit, ids),
        )
        .await
    }

    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        self.observe("todo_repository.find_call", self.port.find_call(permit, key, now)).await
    }

    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        self.observe("todo_repository.write_all", self.port.write_all(permit, set)).await
    }
}

#[async_trait]
impl TodoHistory for Observed<dyn TodoHistory> {
    async fn changes(&self, permit: &ReadPermit, part: &Part) -> Result<HistoryPart, StorageError> {
        self.observe("todo_history.changes", self.port.changes(permit, part)).await
    }

    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        self.observe("todo_history.find_changes", self.port.find_changes(permit, changes)).await
    }

    async fn forget(
        &self,
        permit: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        self.observe("todo_history.forget", self.port.forget(permit, until, after)).await
    }

    async fn erase(
        &self,
        permit: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError> {
        self.observe("todo_history.erase", self.port.erase(permit, workspace)).await
    }
}
