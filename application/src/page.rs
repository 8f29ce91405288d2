//! How a long list is read piece by piece.

use thiserror::Error;
use todo_domain::{Now, Todo};

use crate::cursor::Cursor;

/// The most todos of a page. It holds fewer if their texts have more than 64 KiB together, but always one,
/// however long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    todos: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 1 to {max}", max = PageSize::MAX)]
pub struct PageSizeError;

impl PageSize {
    /// The largest number of todos.
    pub const MAX: usize = 200;
    /// The number of todos of a page for which no size was requested.
    pub const DEFAULT: usize = 50;
    pub const LARGEST: Self = Self { todos: Self::MAX };

    /// Enough for a model, and so few that one answer is written quickly: others wait for the processor
    /// meanwhile.
    const BYTES: u64 = 64 * 1024;

    pub(crate) fn todos(self) -> usize {
        self.todos
    }

    /// How many of these todos fit on the page.
    pub(crate) fn cut(self, todos: &[Todo]) -> usize {
        let mut bytes = 0;
        let fitting = todos.iter().take(self.todos).take_while(|todo| {
            bytes += todo.bytes();
            bytes <= Self::BYTES
        });
        fitting.count().max(1).min(todos.len())
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self { todos: Self::DEFAULT }
    }
}

/// A number of todos, as a caller requests it.
impl TryFrom<i64> for PageSize {
    type Error = PageSizeError;

    fn try_from(number: i64) -> Result<Self, PageSizeError> {
        match usize::try_from(number) {
            Ok(todos @ 1..=Self::MAX) => Ok(Self { todos }),
            _ => Err(PageSizeError),
        }
    }
}

/// A piece of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of the list.
    pub todos: Vec<Todo>,
    /// Where the next page starts; `None` at the end of the list.
    pub next: Option<Cursor>,
    /// The present, if days matter to the list or to one of its todos, and a time zone is known.
    pub as_of: Option<Now>,
}
