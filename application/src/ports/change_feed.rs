use std::collections::BTreeSet;

use async_trait::async_trait;
use todo_domain::{TodoId, WorkspaceId};

/// Carries word of changes from those who make them to those who watch.
///
/// It says that something changed and not what became of it: whoever wants to know asks again, with
/// the permissions they have then. So nothing leaks through it, and it may merge what it has not
/// delivered yet.
#[cfg_attr(test, mockall::automock)]
pub trait ChangeFeed: Send + Sync {
    /// Tells everyone who watches the workspace that a todo was added, changed or removed. Called
    /// when the change is durable. Does not wait.
    fn publish(&self, workspace: &WorkspaceId, todo: TodoId);

    /// Watches a workspace from now on, until what it returns is dropped.
    fn subscribe(&self, workspace: &WorkspaceId) -> Box<dyn Changes>;
}

/// The changes of one workspace, as one subscriber gets them.
#[cfg_attr(test, mockall::automock)]
#[async_trait]
pub trait Changes: Send {
    /// What has changed since the last call; waits until something has.
    ///
    /// Nothing is lost when the future is dropped. What a slow reader does not fetch takes bounded
    /// room: it is merged, in the end to [`Changed::Any`].
    async fn next(&mut self) -> Changed;
}

/// What has changed in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// These todos: added, changed or removed, each at least once.
    Todos(BTreeSet<TodoId>),
    /// Too many to name, or some whose names were lost.
    Any,
}

impl Changed {
    /// Whether this todo may be among them.
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
    fn a_change_includes_what_it_names_or_may_mean() {
        let [one, two] = [1, 2].map(|byte| TodoId::from_bytes([byte; 16]));
        let changed = Changed::Todos(BTreeSet::from([one]));
        assert!(changed.includes(one) && !changed.includes(two));
        assert!(Changed::Any.includes(one) && Changed::Any.includes(two));
    }
}
