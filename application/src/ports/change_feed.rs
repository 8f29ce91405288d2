use std::collections::BTreeSet;

use async_trait::async_trait;
use todo_domain::{ReadPermit, TodoId, WritePermit};

/// Carries notices of changes from writers to subscribers.
///
/// A notice names the todo and not its new state: a subscriber queries that, with the permissions it
/// has then. So a notice discloses nothing, and notices that are not delivered yet may be merged.
#[cfg_attr(test, mockall::automock)]
pub trait ChangeFeed: Send + Sync {
    /// Notifies the subscribers of the permit's workspace that a todo was added, changed or removed.
    /// Called once the change is durable. Does not wait.
    fn publish(&self, permit: &WritePermit, todo: TodoId);

    /// Subscribes to the changes of the permit's workspace from now on, until the result is dropped.
    fn subscribe(&self, permit: &ReadPermit) -> Box<dyn Changes>;
}

/// The changes of one workspace, as one subscriber receives them.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Changes: Send {
    /// Waits for changes, and returns all since the last call.
    ///
    /// Nothing is lost when the future is dropped. Changes that a slow subscriber does not fetch take
    /// bounded memory: they are merged, in the end to [`Changed::Any`].
    async fn next(&mut self) -> Changed;
}

/// What has changed in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// These todos were added, changed or removed, each at least once.
    Todos(BTreeSet<TodoId>),
    /// Any todo may have changed: there were too many ids to keep, or some were lost.
    Any,
}

impl Changed {
    /// Whether this todo may have changed.
    pub fn includes(&self, todo: TodoId) -> bool {
        match self {
            Self::Todos(todos) => todos.contains(&todo),
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_includes_the_ids_it_names_and_any_change_includes_all() {
        let [one, two] = [1, 2].map(|byte| TodoId::from_bytes([byte; 16]));
        let changed = Changed::Todos(BTreeSet::from([one]));
        assert!(changed.includes(one) && !changed.includes(two));
        assert!(Changed::Any.includes(one) && Changed::Any.includes(two));
    }
}
