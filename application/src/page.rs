//! How a long list is read piece by piece.

use thiserror::Error;
use todo_domain::Todo;

use crate::cursor::Cursor;

/// How much a page holds at most: 1 to 200 todos, 50 unless said otherwise, and as many of them as
/// have 256 KiB of text together; but always one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    todos: usize,
    bytes: usize,
}

/// The number is no page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 1 to {max}", max = PageSize::MAX)]
pub struct PageSizeError;

impl PageSize {
    /// The most todos of a page.
    pub const MAX: usize = 200;
    /// The todos of the page of someone who did not ask for a size.
    pub const DEFAULT: usize = 50;
    /// What fits beside other things into what a model reads: as many todos as have 64 KiB of text.
    pub const FOR_A_CONVERSATION: Self = Self { todos: Self::MAX, bytes: 64 * 1024 };

    const BYTES: usize = 256 * 1024;

    pub(crate) fn todos(self) -> usize {
        self.todos
    }

    /// How many of these todos are on the page.
    pub(crate) fn cut(self, todos: &[Todo]) -> usize {
        let mut bytes = 0;
        let fitting = todos.iter().take(self.todos).take_while(|todo| {
            bytes += todo.title().as_str().len();
            bytes += todo.description().as_deref().map_or(0, str::len);
            bytes <= self.bytes
        });
        fitting.count().max(1).min(todos.len())
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self { todos: Self::DEFAULT, bytes: Self::BYTES }
    }
}

impl TryFrom<i64> for PageSize {
    type Error = PageSizeError;

    fn try_from(number: i64) -> Result<Self, PageSizeError> {
        match usize::try_from(number) {
            Ok(todos @ 1..=Self::MAX) => Ok(Self { todos, bytes: Self::BYTES }),
            _ => Err(PageSizeError),
        }
    }
}

/// A piece of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The todos, oldest first.
    pub todos: Vec<Todo>,
    /// Where the next piece starts; `None` at the end of the list.
    pub next: Option<Cursor>,
}
