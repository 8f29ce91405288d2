use thiserror::Error;
use todo_domain::OperatorPermit;

use crate::ports::{Batch, Loaded, StorageError, TodoLoader, TodoSource};

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
    #[error(transparent)]
    Storage(StorageError),
}

/// Adds the todos of a source that do not exist yet. `progress` receives how many were read so far, and
/// how many were announced.
///
/// An error of the source stops the import, after the todos before it are imported. A batch that was
/// begun is completed and counted. Repeating the import, with the same source or a longer one, adds
/// what is missing.
pub async fn import<S: TodoSource>(
    permit: &OperatorPermit,
    source: &mut S,
    loader: &dyn TodoLoader,
    tally: &mut Tally,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<(), ImportError<S::Error>> {
    let mut expected = None;
    while let Some(batch) = source.next_batch().await.map_err(ImportError::Source)? {
        let Batch { announced, todos, positions } = batch;
        let outcomes = loader.load(permit, todos).await.map_err(ImportError::Storage)?;
        for (position, outcome) in positions.into_iter().zip(outcomes) {
            tally.add(position, outcome);
        }
        expected = announced;
        progress(tally.total(), announced);
    }
    match (expected, tally.total()) {
        (Some(announced), found) if announced != found => {
            Err(ImportError::Incomplete { announced, found })
        }
        _ => Ok(()),
    }
}
