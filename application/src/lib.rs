//! What todo-mcp does, and what it needs from outside to do it.
//!
//! [`Todos`] is the inbound side for callers: one method for each use case, in a file of its own. A use
//! case obtains a permit from the policy, loads, changes and saves; it knows no protocol, no database
//! and no clock. [`archive`] holds the use cases of an operator: export and import. The [`ports`] are
//! what use cases need; `bootstrap` chooses an adapter for each.
//!
//! To add a use case: a file under `todos/` with a method on [`Todos`] that takes the
//! [`Principal`](ports::Principal) first and starts by obtaining a permit, and an error type with the
//! arms that can happen.
//! To add an adapter: implement the port, and run its contract suite (`tests/contract.rs`).

pub mod archive;
mod change_id;
mod cursor;
mod error;
mod fnv;
mod history_page;
mod page;
pub mod ports;
mod selection;
mod todos;

/// The domain, so that adapters need no second dependency to name its types.
pub use todo_domain as domain;

pub use change_id::ChangeId;
pub use cursor::{Cursor, CursorError};
pub use error::{
    ChangeManyError, CreateError, DeleteError, GetError, KeptCause, ListChangesError, ListError,
    StorageFailure, SuggestError, UndoClientError, UndoError, UpdateError,
};
pub use history_page::{
    ChangeCursor, ChangeEntry, ChangeSelection, FittingChanges, HistoryPage, HistoryPageSize, Since,
};
pub use page::{Fitting, Page, PageSize, PageSizeError};
pub use selection::Selection;
pub use todos::{
    ChangeFailure, ChangesMade, Created, Effect, Effects, LabelSuggestions, MAX_CHANGES,
    ManyChanges, NewTodo, Outcome, Prefix, RequestedChange, Suggestions, Todos, Undone,
    UndoneClient, Updated, Watch,
};
