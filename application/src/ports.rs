//! What the use cases need from outside, as roles.
//!
//! Signatures contain domain and application types only, so that no driver, protocol or framework
//! leaks inwards. A trait is here because two implementations ship, or because a boundary between
//! crates needs it.

mod change_feed;
mod clock;
mod creation;
mod head;
mod id_source;
mod ids_by_term;
mod principal;
mod storage_error;
mod storage_health;
mod todo_archive;
mod todo_history;
mod todo_repository;
mod write_set;

pub use change_feed::{ChangeFeed, Changed, Changes};
pub use clock::Clock;
pub use creation::{Creation, CreationRequest, Inserted};
pub use head::{Head, Refusal};
pub use id_source::IdSource;
pub use ids_by_term::IdsByTerm;
pub use principal::Principal;
pub use storage_error::{
    BoxError, ChangeError, InsertError, RemoveError, StorageError, in_one_line,
};
pub use storage_health::{ConnectionLoad, QueuedWrites, StorageHealth, StorageLoad};
pub use todo_archive::{
    Batch, HistoryItem, Loaded, SourceHistory, TodoLoader, TodoSink, TodoSnapshot, TodoSource,
};
pub use todo_history::{ChangeRef, Direction, Erased, Forgotten, HistoryPart, Span, TodoHistory};
pub use todo_repository::{Filter, TodoRepository};
pub use write_set::{
    CallRequest, EarlierCall, Made, PlannedWrite, TodoWrite, WriteRefusal, WriteSet, WriteSetError,
    Written,
};

#[cfg(test)]
pub(crate) use change_feed::{MockChangeFeed, MockChanges};
#[cfg(test)]
pub(crate) use todo_repository::MockTodoRepository;
