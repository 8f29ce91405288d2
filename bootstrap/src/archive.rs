//! Exports and imports as JSON Lines, copies of a database, and removing a list.
//!
//! The rules of export and import are use cases in `todo-application`; here are their format, their
//! files and their commands.
//!
//! | module | holds |
//! |---|---|
//! | `line`, `history_line` | a todo as a line, and the first line; a part of a history as a line |
//! | `export` | writing lines |
//! | `import` | reading lines |
//! | `new_file` | a file that appears when it is complete |
//! | `progress` | the progress bar |
//! | `command` | `todo-mcp export` and `todo-mcp import` |
//! | `erase` | `todo-mcp erase` |
//! | `backup`, `restore` | `todo-mcp backup` and `todo-mcp restore` |

#[cfg(feature = "sqlite")]
pub(crate) mod backup;
pub(crate) mod command;
pub(crate) mod erase;
mod export;
mod history_line;
mod import;
mod line;
mod new_file;
mod progress;
#[cfg(feature = "sqlite")]
pub(crate) mod restore;

pub use command::summary;
pub use export::{ExportError, export};
pub use import::{ImportError, LineSource, SourceError};
pub use line::LineError;
