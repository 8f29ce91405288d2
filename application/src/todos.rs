//! The use cases.

mod create;
mod delete;
mod get;
mod list;
mod suggest;
mod update;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use todo_domain::policy::{self, Action, Denied, Identity, Permit};
use todo_domain::{Sharing, Todo, TodoId, WorkspaceId};

pub use create::NewTodo;
pub use suggest::{Prefix, Suggestions};
pub use watch::Watch;

use crate::error::UseCaseError;
use crate::ports::{ChangeFeed, Clock, IdSource, Principal, StorageError, TodoRepository};

/// Everything one can do with todos. Cheap to share, safe to call from many tasks at once.
pub struct Todos {
    repository: Arc<dyn TodoRepository>,
    changes: Arc<dyn ChangeFeed>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    sharing: Sharing,
}

impl Todos {
    /// Puts the use cases on top of a store, a feed that tells of changes to it, a clock and a source
    /// of ids.
    pub fn new(
        repository: Arc<dyn TodoRepository>,
        changes: Arc<dyn ChangeFeed>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        sharing: Sharing,
    ) -> Self {
        Self { repository, changes, clock, ids, sharing }
    }

    /// Asks the policy, and does nothing else. Each use case starts with it; an adapter may ask
    /// earlier, so that a caller who lacks a scope is told so before anything else.
    pub fn permit(&self, principal: &dyn Principal, action: Action) -> Result<Permit, Denied> {
        let identity = Identity {
            subject: principal.subject(),
            organization: principal.organization(),
            permissions: principal.permissions(),
        };
        policy::authorize(self.sharing, identity, action)
    }

    /// Tells of a change to a todo, once it is stored; or may be, which is unknown where the storage
    /// failed at that very moment. Word of a change that was none does no harm.
    fn tell<T>(&self, workspace: &WorkspaceId, id: TodoId, stored: &Result<T, StorageError>) {
        if matches!(stored, Ok(_) | Err(StorageError::Unavailable(_))) {
            self.changes.publish(workspace, id);
        }
    }

    async fn load(&self, workspace: &WorkspaceId, id: TodoId) -> Result<Todo, UseCaseError> {
        self.repository.find(workspace, id).await?.ok_or(UseCaseError::NotFound)
    }
}
