//! What an operator moves and keeps: all todos as JSON Lines, and copies of a database.
//!
//! | module | holds |
//! |---|---|
//! | `line` | how a todo is a line, and what the first line says |
//! | `export` | from a store to lines |
//! | `import` | from lines to a store |
//! | `new_file` | a file that is there as a whole, or not at all |
//! | `progress` | how far it is, on a terminal |
//! | `command` | `todo-mcp export` and `todo-mcp import` |
//! | `backup` | `todo-mcp backup` |

#[cfg(feature = "sqlite")]
pub(crate) mod backup;
pub(crate) mod command;
mod export;
mod import;
mod line;
mod new_file;
mod progress;

use std::fmt;
use std::num::NonZeroUsize;

use indicatif::HumanCount;

pub use export::{ExportError, export};
pub use import::{ImportError, Tally, import};
pub use line::LineError;

/// How many todos are under way at once: enough that a transaction for each batch costs nothing, and
/// at most 10 MiB.
const BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(499);

/// So many todos, for people.
struct Todos(u64);

impl fmt::Display for Todos {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => formatter.write_str("1 todo"),
            number => write!(formatter, "{} todos", HumanCount(number)),
        }
    }
}
