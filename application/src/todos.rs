//! The use cases of callers, each in a file of its own.

mod by_terms;
mod create;
mod delete;
mod get;
mod labels;
mod list;
mod search;
mod suggest;
mod update;
mod use_cases;
mod watch;

#[cfg(test)]
mod tests;

pub use create::{Created, NewTodo};
pub use labels::LabelSuggestions;
pub use suggest::{Prefix, Suggestions};
pub use use_cases::Todos;
pub use watch::Watch;
