//! What todo-mcp does, and what it needs from outside to do it.
//!
//! [`Todos`] is the whole inbound side: one method for each use case, in a file of its own. A use
//! case asks the policy, loads, changes and saves; it knows no protocol, no database and no clock.
//! What it needs is named by the [`ports`], and an adapter for each is chosen in one place, the
//! composition in `bootstrap`.
//!
//! To add a use case: a file under `todos/` with a method on [`Todos`] that takes the
//! [`Principal`](ports::Principal) first and starts with [`Todos::permit`].
//! To add an adapter: implement the port, and run its contract suite (`tests/contract.rs`).

mod cursor;
mod error;
mod fnv;
mod page;
pub mod ports;
mod todos;

/// The domain, so that adapters need no second dependency to name its types.
pub use todo_domain as domain;

pub use cursor::{Cursor, CursorError};
pub use error::UseCaseError;
pub use page::{Page, PageSize, PageSizeError};
pub use todos::{NewTodo, Prefix, Suggestions, Todos, Watch};
