//! What is remembered of the writes of a workspace.

use async_trait::async_trait;
use todo_domain::{
    ChangeNumber, Instant, OperatorPermit, ReadPermit, Recorded, TodoId, WorkspaceId, WritePermit,
};

use super::storage_error::StorageError;

/// The part of a history that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub direction: Direction,
    /// Only changes of this todo.
    pub todo: Option<TodoId>,
    /// Only deletions, which are found without looking at other changes.
    pub deletions: bool,
    /// The most changes.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Newest first, from the last change before this one, or from the last one.
    Back(Option<ChangeNumber>),
    /// Oldest first, from the first change after this one.
    On(ChangeNumber),
}

/// Changes as they were at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPart {
    pub changes: Vec<Recorded>,
    /// The number of the last write to the workspace.
    pub latest: ChangeNumber,
    /// The greatest number of a write that is not remembered: what came after it is complete.
    pub forgotten: ChangeNumber,
}

/// Which changes are to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeRef {
    One(ChangeNumber),
    /// All changes of a call, by the number of the first.
    Batch(ChangeNumber),
}

/// One step of forgetting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// How many changes were removed.
    pub changes: u64,
    /// Where the next step begins: after this workspace. If it is `None` and no changes were removed, there are
    /// no more.
    pub after: Option<WorkspaceId>,
}

/// What was removed of a workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    pub todos: u64,
    pub changes: u64,
}

/// The changes that the store of todos remembers, each stored in the transaction of its write if that was made
/// with a [permit that remembers](WritePermit::remembers).
///
/// Changes are numbered in the head of their workspace, so that their order is that of the commits: when one can
/// be seen, no smaller number appears later.
#[async_trait]
pub trait TodoHistory: Send + Sync {
    /// Changes of the permit's workspace. The cost depends on the limit, not on the length of the history.
    async fn changes(&self, permit: &ReadPermit, span: &Span) -> Result<HistoryPart, StorageError>;

    /// The changes that are to be taken back, in the order of their numbers; none if they are not remembered.
    async fn find_changes(
        &self,
        permit: &WritePermit,
        changes: ChangeRef,
    ) -> Result<Vec<Recorded>, StorageError>;

    /// Removes some changes that were made before `until`, oldest first, of the workspaces after `after` in the
    /// order of their keys. Each call takes a short time, so that no
    /// request waits for it long.
    async fn forget(
        &self,
        permit: &OperatorPermit,
        until: Instant,
        after: Option<&WorkspaceId>,
    ) -> Result<Forgotten, StorageError>;

    /// Removes all that is stored of a workspace: todos, changes, remembered requests.
    async fn erase(
        &self,
        permit: &OperatorPermit,
        workspace: &WorkspaceId,
    ) -> Result<Erased, StorageError>;
}
