//! How long the storage takes.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use todo_application::domain::{
    IdempotencyKey, Instant, OperatorPermit, Order, Place, ReadPermit, Recorded, Term, TermRange,
    Todo, TodoId, WorkspaceId, WritePermit,
};
use todo_application::ports::{
    ChangeError, ChangeRef, Creation, CreationRequest, EarlierCall, Erased, Filter, Forgotten,
    HistoryPart, IdsByTerm, InsertError, RemoveError, Span, StorageError, TodoHistory,
    TodoRepository, WriteSet, WriteSetError, Written,
};

use super::histogram::Histogram;
use super::registry::Metrics;
use super::table::Table;

/// A storage port whose calls are timed.
struct Timed<P: ?Sized> {
    port: Arc<P>,
    timings: Arc<Timings>,
}

/// By the method of the port.
#[derive(Default)]
struct Timings {
    durations: Table<&'static str, Histogram, 32>,
    /// Also by the kind of the error.
    errors: Table<(&'static str, &'static str), AtomicU64, 96>,
}

impl Metrics {
    /// The same ports, timed.
    pub(crate) fn timed(
        &mut self,
        repository: Arc<dyn TodoRepository>,
        history: Arc<dyn TodoHistory>,
    ) -> (Arc<dyn TodoRepository>, Arc<dyn TodoHistory>) {
        let timings = Arc::new(Timings::default());
        let it = Arc::clone(&timings);
        self.figures(
            "todo_mcp_storage_duration_seconds",
            "Time that a call of the storage takes, with its queues and retries",
            move || {
                let labels = |operation| vec![("operation", Cow::Borrowed(operation))];
                let entries = it.durations.entries();
                entries.map(|(operation, it)| (labels(operation), it.distribution())).collect()
            },
        );
        let it = Arc::clone(&timings);
        self.figures(
            "todo_mcp_storage_errors",
            "Calls of the storage that failed because of it: unavailable, corrupt or damaged",
            move || {
                let labels = |(operation, error): (&'static str, &'static str)| {
                    vec![("operation", operation.into()), ("error", error.into())]
                };
                let entries = it.errors.entries();
                entries.map(|(key, it)| (labels(key), it.load(Ordering::Relaxed))).collect()
            },
        );
        let history = Timed { port: history, timings: Arc::clone(&timings) };
        (Arc::new(Timed { port: repository, timings }), Arc::new(history))
    }
}

impl<P: ?Sized> Timed<P> {
    /// A call that is cancelled is not counted.
    async fn time<T, E: OfStorage>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let began = std::time::Instant::now();
        let result = call.await;
        if let Some(histogram) = self.timings.durations.at(operation) {
            histogram.record(began.elapsed());
        }
        if let Err(error) = &result
            && let Some(error) = error.of_storage()
            && let Some(count) = self.timings.errors.at((operation, kind(error)))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
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
impl TodoRepository for Timed<dyn TodoRepository> {
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError> {
        self.time("find", self.port.find(permit, id)).await
    }

    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError> {
        self.time("find_for_update", self.port.find_for_update(permit, id)).await
    }

    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.time("list", self.port.list(permit, filter, after, limit)).await
    }

    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError> {
        self.time("list_by", self.port.list_by(permit, order, filter, after, limit)).await
    }

    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.time("find_all", self.port.find_all(permit, ids)).await
    }

    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError> {
        self.time("ids_by_term", self.port.ids_by_term(permit, ranges, after, limit)).await
    }

    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError> {
        self.time("terms", self.port.terms(permit, range, limit)).await
    }

    async fn insert(&self, permit: &WritePermit, todo: &Todo) -> Result<(), InsertError> {
        self.time("insert", self.port.insert(permit, todo)).await
    }

    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Option<Creation>, InsertError> {
        self.time("insert_once", self.port.insert_once(permit, todo, request)).await
    }

    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<(), ChangeError> {
        self.time("save", self.port.save(permit, before, after)).await
    }

    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<(), RemoveError> {
        self.time("remove", self.port.remove(permit, todo, at)).await
    }

    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError> {
        self.time("find_all_for_update", self.port.find_all_for_update(permit, ids)).await
    }

    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError> {
        self.time("find_call", self.port.find_call(permit, key, now)).await
    }

    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError> {
        self.time("write_all", self.port.write_all(permit, set)).await
    }
}

#[async_trait]
impl TodoHistory for Timed<dyn TodoHistory> {
    async fn changes(&self, permit: &ReadPermit, span: &Span) -> Result<HistoryPart, StorageError> {
        self.time("changes", self.port.changes(permit, span)).await
    }

    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError> {
        self.time("find_changes", self.port.find_changes(permit, changes)).await
    }

    async fn forget(
        &self,
        permit: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError> {
        self.time("forget", self.port.forget(permit, until, after)).await
    }

    async fn erase(
        &self,
        permit: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError> {
        self.time("erase", self.port.erase(permit, workspace)).await
    }
}
