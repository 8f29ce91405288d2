//! The use cases of callers, each in a file of its own.

mod by_terms;
mod change_many;
mod create;
mod delete;
mod effect;
mod get;
mod labels;
mod list;
mod list_changes;
mod many_changes;
mod outcome;
mod search;
mod suggest;
mod undo;
mod undo_client;
mod update;
mod use_cases;
mod watch;

#[cfg(test)]
mod tests;

pub use create::{Created, NewTodo};
pub use effect::{Effect, Effects};
pub use labels::LabelSuggestions;
pub use many_changes::{
    ChangeFailure, ChangesMade, MAX_CHANGES, ManyChanges, Outcome, RequestedChange,
};
pub use suggest::{Prefix, Suggestions};
pub use undo::Undone;
pub use undo_client::UndoneClient;
pub use update::Updated;
pub use use_cases::Todos;
pub use watch::Watch;
