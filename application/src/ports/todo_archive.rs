//! All todos of a store at once, for an operator who moves them to another store.
//!
//! This is the exception to the rule that every query is keyed by a workspace, so it takes an
//! [`OperatorPermit`], which no request can obtain:
//!
//! ```
//! # use todo_application::domain::{OperatorPermit, Todo};
//! # use todo_application::ports::{Loaded, StorageError, TodoLoader};
//! async fn load(
//!     loader: &dyn TodoLoader, permit: &OperatorPermit, todos: Vec<Todo>,
//! ) -> Result<Vec<Loaded>, StorageError> {
//!     loader.load(permit, todos, None).await
//! }
//! ```
//!
//! A permit for one workspace is not enough:
//!
//! ```compile_fail,E0308
//! # use todo_application::domain::{Todo, WritePermit};
//! # use todo_application::ports::{Loaded, StorageError, TodoLoader};
//! async fn load(
//!     loader: &dyn TodoLoader, permit: &WritePermit, todos: Vec<Todo>,
//! ) -> Result<Vec<Loaded>, StorageError> {
//!     loader.load(permit, todos, None).await
//! }
//! ```

use std::num::NonZeroUsize;

use async_trait::async_trait;
use todo_domain::{ChangeNumber, Instant, OperatorPermit, Recorded, Todo, WorkspaceId};

use super::storage_error::StorageError;

/// All todos of all workspaces as they were at one instant. Later writes do not show.
///
/// It does not block writers, and it is read once, from front to back. The memory it takes depends on
/// the page and not on the number of todos.
#[async_trait]
pub trait TodoSnapshot: Send {
    /// The number of todos in all workspaces.
    fn count(&self) -> u64;

    /// The todos after those of the last call, at most `limit`, in the order of workspace and id, both
    /// compared byte for byte. An empty page is the end; an error ends the snapshot too.
    async fn next_page(
        &mut self,
        permit: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<Todo>, StorageError>;

    /// The number of changes that are remembered in all workspaces.
    async fn count_changes(&mut self, permit: &OperatorPermit) -> Result<u64, StorageError>;

    /// The changes after those of the last call, at most `limit`, in the order of workspace and number, and before
    /// the first of each workspace what its head says. An empty part is the end; an error ends the snapshot too.
    async fn next_history(
        &mut self,
        permit: &OperatorPermit,
        limit: NonZeroUsize,
    ) -> Result<Vec<HistoryItem>, StorageError>;
}

/// A part of a history, as an export carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "most are changes")]
pub enum HistoryItem {
    Head {
        workspace: WorkspaceId,
        /// The number of the last write.
        latest: ChangeNumber,
        /// The greatest number of a write that is not remembered.
        forgotten: ChangeNumber,
    },
    Change {
        workspace: WorkspaceId,
        recorded: Recorded,
    },
}

impl HistoryItem {
    pub fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Head { workspace, .. } | Self::Change { workspace, .. } => workspace,
        }
    }

    /// Those of its [change](todo_domain::Change::bytes), if it is one.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Head { .. } => 0,
            Self::Change { recorded, .. } => recorded.change.bytes(),
        }
    }
}

/// Adds todos that were created elsewhere.
#[async_trait]
pub trait TodoLoader: Send + Sync {
    /// Adds the todos that do not exist yet, unchanged: with their ids, versions and instants. Returns
    /// the outcome of each, in their order.
    ///
    /// With an instant, the addition of each is remembered as a [baseline](todo_domain::Change::baseline) of then.
    ///
    /// A todo that already exists stays as it is, whatever its content. On success the todos are
    /// durable; after an error either all or none of the new ones are stored. Either way the same call
    /// can be repeated.
    async fn load(
        &self,
        permit: &OperatorPermit,
        todos: Vec<Todo>,
        remembered_at: Option<Instant>,
    ) -> Result<Vec<Loaded>, StorageError>;

    /// Adds what was remembered of todos that were loaded before, of any workspaces. Returns the outcome of each item,
    /// in their order.
    ///
    /// A head is [`Loaded::Added`] where no changes are remembered, [`Loaded::Same`] where an earlier load of this
    /// history has begun, and [`Loaded::Different`] where the workspace has a history of its own: its changes must
    /// not be loaded then. A change that already exists stays as it is. After an error either all or none of the
    /// new ones are stored.
    async fn load_history(
        &self,
        permit: &OperatorPermit,
        items: Vec<HistoryItem>,
    ) -> Result<Vec<Loaded>, StorageError>;
}

/// The outcome of loading a todo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    Added,
    /// It already existed, the same in every field.
    Same,
    /// Its workspace already had a todo of this id with other content.
    Different,
}

impl Loaded {
    /// The outcome for a todo whose id was taken by `stored`, which is gone if it was removed at this
    /// moment.
    pub fn of_existing(todo: &Todo, stored: Option<&Todo>) -> Self {
        if stored == Some(todo) { Self::Same } else { Self::Different }
    }
}

/// Where an export writes todos. The implementation defines the format.
pub trait TodoSink {
    type Error;

    /// Called once, before the first todo, with their number, and with that of the changes that follow the todos,
    /// if they do.
    fn begin(&mut self, todos: u64, changes: Option<u64>) -> Result<(), Self::Error>;

    fn write(&mut self, todo: &Todo) -> Result<(), Self::Error>;

    fn write_history(&mut self, item: &HistoryItem) -> Result<(), Self::Error>;

    /// Called once, at the end. On success everything is written.
    fn finish(&mut self) -> Result<(), Self::Error>;
}

/// Where an import reads todos.
#[async_trait]
pub trait TodoSource: Send {
    type Error;

    /// The next todos; `None` at the end.
    ///
    /// The todos before an error are returned before the error is, so that they can be imported.
    async fn next_batch(&mut self) -> Result<Option<Batch>, Self::Error>;
}

/// Todos that are imported together.
#[derive(Debug)]
pub struct Batch {
    /// How many todos the source announced in all, if it did.
    pub announced: Option<u64>,
    /// With the history at most [`Batch::MAX`], and no more than [`Batch::MAX_BYTES`] allow.
    pub todos: Vec<Todo>,
    /// The position of each todo in the source, for the report.
    pub positions: Vec<u64>,
    /// What is remembered of them, or of todos of earlier batches. `None` if the source has no history.
    pub history: Option<SourceHistory>,
}

/// A part of the history of imported todos.
#[derive(Debug, Default)]
pub struct SourceHistory {
    /// How many changes the source announced in all.
    pub announced: u64,
    /// A head comes before the changes of its workspace.
    pub items: Vec<HistoryItem>,
}

impl Batch {
    /// Large enough for the transaction of a batch to cost little per todo, also on several machines.
    pub const MAX: usize = 8_000;

    /// A batch ends with the todo or the change that makes its texts this long, in bytes.
    pub const MAX_BYTES: u64 = 1024 * 1024;

    /// The number of its todos and of the parts of their history.
    #[expect(clippy::len_without_is_empty, reason = "nothing asks for that")]
    pub fn len(&self) -> usize {
        self.todos.len() + self.history.as_ref().map_or(0, |history| history.items.len())
    }
}
