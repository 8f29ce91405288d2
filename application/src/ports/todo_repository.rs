use async_trait::async_trait;
use todo_domain::{
    ChangeNumber, IdempotencyKey, Instant, Order, Place, ReadPermit, Term, TermRange, Todo, TodoId,
    WritePermit,
};

use super::creation::{CreationRequest, Inserted};
use super::ids_by_term::IdsByTerm;
use super::storage_error::{ChangeError, InsertError, RemoveError, StorageError};
use super::write_set::{EarlierCall, WriteSet, WriteSetError, Written};

/// Which todos of a workspace a list contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only the done ones, only the open ones, or both.
    pub completed: Option<bool>,
}

/// Stores todos.
///
/// * Every query and every write takes a permit and is keyed by its workspace. A todo of another
///   workspace does not exist.
/// * A write that has succeeded is durable, and every read that begins then sees it; one that was refused has
///   changed nothing.
/// * Writes to one todo are atomic: of two that expect the same version, one succeeds.
/// * A write with a permit that [remembers](WritePermit::remembers) stores its change in the same
///   transaction, to be read by a [`TodoHistory`](super::TodoHistory), and returns its number; any other
///   returns none.
/// * An unreadable row is [`StorageError::Corrupt`], an unreachable store
///   [`StorageError::Unavailable`].
///
/// `tests/contract.rs` has a case for each sentence here, run against every adapter.
///
/// A list takes a permit to read, and a write one to write:
///
/// ```
/// # use todo_application::domain::{ChangeNumber, ReadPermit, Todo, WritePermit};
/// # use todo_application::ports::{Filter, InsertError, StorageError, TodoRepository};
/// # type Repository = dyn TodoRepository;
/// async fn list(todos: &Repository, permit: &ReadPermit) -> Result<Vec<Todo>, StorageError> {
///     todos.list(permit, Filter::default(), None, 10).await
/// }
/// async fn insert(
///     todos: &Repository, permit: &WritePermit, todo: &Todo,
/// ) -> Result<Option<ChangeNumber>, InsertError> {
///     todos.insert(permit, todo).await
/// }
/// ```
///
/// A permit to write shows no list, and a permit to read writes nothing:
///
/// ```compile_fail,E0308
/// # use todo_application::domain::{Todo, WritePermit};
/// # use todo_application::ports::{Filter, StorageError, TodoRepository};
/// # type Repository = dyn TodoRepository;
/// async fn list(todos: &Repository, permit: &WritePermit) -> Result<Vec<Todo>, StorageError> {
///     todos.list(permit, Filter::default(), None, 10).await
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use todo_application::domain::{ChangeNumber, ReadPermit, Todo};
/// # use todo_application::ports::{InsertError, TodoRepository};
/// # type Repository = dyn TodoRepository;
/// async fn insert(
///     todos: &Repository, permit: &ReadPermit, todo: &Todo,
/// ) -> Result<Option<ChangeNumber>, InsertError> {
///     todos.insert(permit, todo).await
/// }
/// ```
///
/// A workspace is not a permit:
///
/// ```
/// # use todo_application::domain::{ChangeNumber, Instant, Todo, WritePermit};
/// # use todo_application::ports::{RemoveError, TodoRepository};
/// # type Repository = dyn TodoRepository;
/// async fn remove(
///     todos: &Repository, permit: &WritePermit, todo: &Todo, at: Instant,
/// ) -> Result<Option<ChangeNumber>, RemoveError> {
///     todos.remove(permit, todo, at).await
/// }
/// ```
///
/// ```compile_fail,E0308
/// # use todo_application::domain::{ChangeNumber, Instant, Todo, WorkspaceId};
/// # use todo_application::ports::{RemoveError, TodoRepository};
/// # type Repository = dyn TodoRepository;
/// async fn remove(
///     todos: &Repository, workspace: &WorkspaceId, todo: &Todo, at: Instant,
/// ) -> Result<Option<ChangeNumber>, RemoveError> {
///     todos.remove(workspace, todo, at).await
/// }
/// ```
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait TodoRepository: Send + Sync {
    /// The todo, if it exists.
    async fn find(&self, permit: &ReadPermit, id: TodoId) -> Result<Option<Todo>, StorageError>;

    /// The todo, if it exists, for the use case that is about to change it.
    async fn find_for_update(
        &self,
        permit: &WritePermit,
        id: TodoId,
    ) -> Result<Option<Todo>, StorageError>;

    /// At most `limit` todos that pass the filter and whose id is after `after`, in the order of their
    /// ids. The cost depends on `limit`, not on the length of the list.
    async fn list(
        &self,
        permit: &ReadPermit,
        filter: Filter,
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError>;

    /// At most `limit` todos that pass the filter, in an order, after a place in it, as they are at one moment:
    /// one that is completed meanwhile is there once. The cost depends on `limit`, not on the length of the
    /// list.
    async fn list_by(
        &self,
        permit: &ReadPermit,
        order: Order,
        filter: Filter,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Todo>, StorageError>;

    /// Those of the todos that exist, each once, in the order of their ids.
    async fn find_all(
        &self,
        permit: &ReadPermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError>;

    /// The first ids after `after` of the todos that have a term of some ranges, which do not overlap, at one moment:
    /// at most `limit`, where an id counts for each of its terms. `None` if there are more than
    /// [`IdsByTerm::MAX_TERMS`] terms, where a store may count [known](TermRange::known) ones that no todo has. The
    /// cost depends on `limit`, not on the length of the list or the number of todos with a term.
    async fn ids_by_term(
        &self,
        permit: &ReadPermit,
        ranges: &[TermRange],
        after: Option<TodoId>,
        limit: usize,
    ) -> Result<Option<IdsByTerm>, StorageError>;

    /// The first terms of a range that todos have, each once, sorted.
    async fn terms(
        &self,
        permit: &ReadPermit,
        range: &TermRange,
        limit: usize,
    ) -> Result<Vec<Term>, StorageError>;

    /// Adds a todo of the permit's workspace. [`InsertError::Duplicate`] if the workspace has one with
    /// this id. [`InsertError::Behind`] if one with a later id was added before, whether it still exists
    /// or not, so that the order of ids is the order of creation; of both todos, only a
    /// [minted id](Todo::minted_id) counts. [`InsertError::QuotaExceeded`] if the workspace would hold more
    /// than the [quota](WritePermit::quota) of the permit, of all writes that are made at the same time.
    async fn insert(
        &self,
        permit: &WritePermit,
        todo: &Todo,
    ) -> Result<Option<ChangeNumber>, InsertError>;

    /// Adds a todo as [`insert`](Self::insert) does, and remembers the request for it in the same
    /// transaction.
    ///
    /// If the [caller](WritePermit::caller) has created one in this workspace by a request with the same
    /// key, and that request is not forgotten at the instant of this creation, nothing is added
    /// and the earlier creation is returned. Of two such requests at the same time, one adds its todo
    /// and the other returns that creation.
    async fn insert_once(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        request: &CreationRequest,
    ) -> Result<Inserted, InsertError>;

    /// Replaces a todo, which is `before` and becomes `after`. [`ChangeError::Stale`] if the stored todo has
    /// another version than `before`, or if the permit's workspace has no such todo.
    /// [`ChangeError::QuotaExceeded`] if it would be longer, and the workspace would hold more than the quota of
    /// the permit.
    async fn save(
        &self,
        permit: &WritePermit,
        before: &Todo,
        after: &Todo,
    ) -> Result<Option<ChangeNumber>, ChangeError>;

    /// Removes a todo. [`RemoveError::Stale`] if the stored todo has another version, or if the permit's
    /// workspace has no such todo. It is removed however much the workspace holds.
    async fn remove(
        &self,
        permit: &WritePermit,
        todo: &Todo,
        at: Instant,
    ) -> Result<Option<ChangeNumber>, RemoveError>;

    /// The same as [`find_all`](Self::find_all), for the use case that is about to change them.
    async fn find_all_for_update(
        &self,
        permit: &WritePermit,
        ids: &[TodoId],
    ) -> Result<Vec<Todo>, StorageError>;

    /// What is remembered of a request of the permit's caller with this key, unless it is forgotten at `now`.
    async fn find_call(
        &self,
        permit: &WritePermit,
        key: &IdempotencyKey,
        now: Instant,
    ) -> Result<Option<EarlierCall>, StorageError>;

    /// Makes all of the writes, in their order and in one transaction, or none. Their changes have numbers that
    /// follow each other. A set with a call whose key was used before makes none, and returns that call.
    async fn write_all(
        &self,
        permit: &WritePermit,
        set: &WriteSet,
    ) -> Result<Written, WriteSetError>;
}
