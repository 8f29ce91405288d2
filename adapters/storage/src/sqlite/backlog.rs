//! How many bytes of texts wait to be written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use todo_application::domain::WorkspaceId;

/// The most bytes of texts that wait, of all writes and of those to one workspace: no list can keep the
/// others from being written.
const LIMIT: u64 = 8 * 1024 * 1024;
const LIMIT_OF_ONE: u64 = LIMIT / 4;

/// The texts that wait.
#[derive(Debug, Default)]
pub(super) struct Backlog(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    bytes: u64,
    /// Of those that are not 0.
    of: HashMap<WorkspaceId, u64>,
}

/// The part of the backlog that a write has, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    backlog: Arc<Backlog>,
    workspace: WorkspaceId,
    bytes: u64,
}

impl Backlog {
    /// A share of so many bytes; `None` if there is no room for it.
    pub(super) fn share(self: &Arc<Self>, workspace: &WorkspaceId, bytes: u64) -> Option<Share> {
        let mut waiting = self.waiting();
        let all = waiting.bytes + bytes;
        let own = waiting.of.get(workspace).copied().unwrap_or_default() + bytes;
        if all > LIMIT || own > LIMIT_OF_ONE {
            return None;
        }
        waiting.bytes = all;
        waiting.of.insert(workspace.clone(), own);
        drop(waiting);
        Some(Share { backlog: Arc::clone(self), workspace: workspace.clone(), bytes })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.waiting().bytes
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut waiting = self.backlog.waiting();
        waiting.bytes -= self.bytes;
        if let Some(own) = waiting.of.get_mut(&self.workspace) {
            *own -= self.bytes;
            if *own == 0 {
                waiting.of.remove(&self.workspace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(number: u64) -> WorkspaceId {
        WorkspaceId::try_from(format!("workspace {number}").as_str()).unwrap()
    }

    #[test]
    fn one_workspace_has_at_most_a_quarter_and_all_have_the_limit() {
        let backlog = Arc::<Backlog>::default();
        let mut shares = Vec::new();
        for number in 0..4 {
            for _ in 0..2 {
                shares.push(backlog.share(&workspace(number), LIMIT_OF_ONE / 2).unwrap());
            }
            assert!(backlog.share(&workspace(number), 1).is_none());
        }
        assert!(backlog.share(&workspace(9), 1).is_none(), "all have the limit");
        drop(shares.pop());
        assert!(backlog.share(&workspace(0), 1).is_none(), "one has the limit");
        shares.push(backlog.share(&workspace(9), LIMIT_OF_ONE / 2).unwrap());
        assert!(backlog.share(&workspace(3), 1).is_none());
    }

    #[test]
    fn nothing_is_left_of_shares_that_are_dropped() {
        let backlog = Arc::<Backlog>::default();
        let shares: Vec<_> = (0..100).map(|it| backlog.share(&workspace(it % 7), it)).collect();
        assert!(shares.iter().all(Option::is_some));
        drop(shares);
        let waiting = backlog.waiting();
        assert_eq!((waiting.bytes, waiting.of.len()), (0, 0));
    }
}
