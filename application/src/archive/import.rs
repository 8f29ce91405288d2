use std::collections::HashSet;

use thiserror::Error;
use todo_domain::{Instant, OperatorPermit, WorkspaceId};

use crate::ports::{
    Batch, HistoryItem, Loaded, SourceHistory, StorageError, TodoLoader, TodoSource,
};

/// The outcomes of the todos that were read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub added: u64,
    /// Already existed, the same in every field.
    pub same: u64,
    /// Already exist with other content, and stay as they are.
    pub different: u64,
    /// The position of the first of those.
    pub first_different: Option<u64>,
    /// The changes that were read, if the source has a history.
    pub changes: ChangeTally,
}

/// The outcomes of changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ChangeTally {
    pub added: u64,
    /// Already existed, the same in every field.
    pub same: u64,
    /// Those of workspaces that have a history of their own, which stays.
    pub left_out: u64,
}

impl Tally {
    pub fn total(&self) -> u64 {
        self.added + self.same + self.different
    }

    fn add(&mut self, position: u64, outcome: Loaded) {
        match outcome {
            Loaded::Added => self.added += 1,
            Loaded::Same => self.same += 1,
            Loaded::Different => {
                self.different += 1;
                self.first_different.get_or_insert(position);
            }
        }
    }
}

/// Why an import stopped. The todos that the tally counts are stored, and stay. `E` is the error of
/// the source.
#[derive(Debug, Error)]
pub enum ImportError<E> {
    #[error(transparent)]
    Source(E),
    /// The source has not as many todos as it announced. Those it has were imported.
    #[error("the source announced {announced} todos and has {found}")]
    Incomplete { announced: u64, found: u64 },
    /// The same of changes.
    #[error("the source announced {announced} changes and has {found}")]
    IncompleteHistory { announced: u64, found: u64 },
    #[error(transparent)]
    Storage(StorageError),
}

/// Adds the todos of a source that do not exist yet, and their history if it has one. `progress` receives how many
/// todos were read so far, and how many were announced. With an instant, todos without a history are remembered as
/// the operator's of then.
///
/// An error of the source stops the import, after the todos before it are imported. A batch that was
/// begun is completed and counted. Repeating the import, with the same source or a longer one, adds
/// what is missing.
pub async fn import<S: TodoSource>(
    permit: &OperatorPermit,
    source: &mut S,
    loader: &dyn TodoLoader,
    remembered_at: Option<Instant>,
    tally: &mut Tally,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<(), ImportError<S::Error>> {
    let (mut expected, mut expected_changes) = (None, None);
    let mut history = HistoryLoad { permit, loader, refused: HashSet::new() };
    while let Some(batch) = source.next_batch().await.map_err(ImportError::Source)? {
        let Batch { announced, todos, positions, history: part } = batch;
        let remembered_at = if part.is_some() { None } else { remembered_at };
        let outcomes = loader.load(permit, todos, remembered_at).await;
        let outcomes = outcomes.map_err(ImportError::Storage)?;
        for (position, outcome) in positions.into_iter().zip(outcomes) {
            tally.add(position, outcome);
        }
        if let Some(part) = part {
            expected_changes = Some(part.announced);
            history.load(part, tally).await.map_err(ImportError::Storage)?;
        }
        expected = announced;
        progress(tally.total(), announced);
    }
    match (expected, tally.total()) {
        (Some(announced), found) if announced != found => {
            return Err(ImportError::Incomplete { announced, found });
        }
        _ => {}
    }
    match (expected_changes, tally.changes.total()) {
        (Some(announced), found) if announced != found => {
            Err(ImportError::IncompleteHistory { announced, found })
        }
        _ => Ok(()),
    }
}

/// Loads histories.
struct HistoryLoad<'a> {
    permit: &'a OperatorPermit,
    loader: &'a dyn TodoLoader,
    /// Workspaces that have a history of their own: of the last ones that were read.
    refused: HashSet<WorkspaceId>,
}

impl HistoryLoad<'_> {
    /// A head decides on the changes that follow it. So there are two calls for all workspaces.
    async fn load(&mut self, part: SourceHistory, tally: &mut Tally) -> Result<(), StorageError> {
        let SourceHistory { announced: _, items } = part;
        let Some(last) = items.last().map(|item| item.workspace().clone()) else { return Ok(()) };
        let is_head = |item: &HistoryItem| matches!(item, HistoryItem::Head { .. });
        let (heads, changes): (Vec<_>, Vec<_>) = items.into_iter().partition(is_head);
        let workspaces: Vec<_> = heads.iter().map(|head| head.workspace().clone()).collect();
        let outcomes = self.load_items(heads).await?;
        let heads = workspaces.into_iter().zip(outcomes);
        let refused = heads.filter(|(_, outcome)| *outcome == Loaded::Different);
        self.refused.extend(refused.map(|(workspace, _)| workspace));

        let is_refused = |change: &HistoryItem| self.refused.contains(change.workspace());
        let (left_out, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_refused);
        tally.changes.left_out += left_out.len() as u64;
        for outcome in self.load_items(changes).await? {
            match outcome {
                Loaded::Added => tally.changes.added += 1,
                Loaded::Same => tally.changes.same += 1,
                Loaded::Different => tally.changes.left_out += 1,
            }
        }
        // Only the changes of the last one may go on.
        self.refused.retain(|workspace| *workspace == last);
        Ok(())
    }

    async fn load_items(&self, items: Vec<HistoryItem>) -> Result<Vec<Loaded>, StorageError> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        self.loader.load_history(self.permit, items).await
    }
}

impl ChangeTally {
    pub fn total(&self) -> u64 {
        self.added + self.same + self.left_out
    }
}
