//! All todos of a store at once: for the operator, who moves them to another store.
//!
//! This is the one exception to the rule that every query names its workspace. No request reaches
//! it, and no use case: only commands that an operator runs beside the server.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use todo_domain::Todo;

use super::StorageError;

/// All todos of all workspaces as they were at one instant. What is written later does not show.
///
/// It keeps nobody from writing, and it is read once, from front to back. How much memory that
/// takes depends on the page, not on how many todos there are.
#[async_trait]
pub trait TodoSnapshot: Send {
    /// How many todos there are in all.
    fn count(&self) -> u64;

    /// The todos after those of the last call, at most `limit` of them, in the order of workspace
    /// and id, both compared byte for byte. An empty page is the end; an error ends it too.
    async fn next_page(&mut self, limit: NonZeroUsize) -> Result<Vec<Todo>, StorageError>;
}

/// Takes in todos that were made elsewhere.
#[async_trait]
pub trait TodoLoader: Send + Sync {
    /// Adds those that are not there yet, each as it is: with its id, its version and its instants.
    /// Says for each, in their order, what became of it.
    ///
    /// A todo that is there already stays as it is, whatever it holds. What is answered is durable;
    /// after an error either all or none of the new ones are there. Either way the same call can be
    /// made again.
    async fn load(&self, todos: Vec<Todo>) -> Result<Vec<Loaded>, StorageError>;
}

/// What became of a todo that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// It was added.
    Added,
    /// It is there already, the same in every field.
    Same,
    /// Its workspace has another todo with its id, or the same one with other content.
    Different,
}
