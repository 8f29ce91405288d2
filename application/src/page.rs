//! How a long list is read piece by piece.

use thiserror::Error;
use todo_domain::{Now, Todo};

use crate::cursor::Cursor;

/// The limits of a page: a number of todos, and the bytes of their texts together. A page always holds
/// at least one todo, however long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize {
    todos: usize,
    bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 1 to {max}", max = PageSize::MAX)]
pub struct PageSizeError;

impl PageSize {
    /// The largest number of todos.
    pub const MAX: usize = 200;
    /// The number of todos of a page for which no size was requested.
    pub const DEFAULT: usize = 50;
    pub const LARGEST: Self = Self { todos: Self::MAX, bytes: Self::BYTES };

    const BYTES: usize = 256 * 1024;

    /// The same number of todos, but at most this many bytes of text. More than the 256 KiB of every
    /// page are not possible.
    #[must_use]
    pub const fn with_max_bytes(self, bytes: usize) -> Self {
        let bytes = if bytes < Self::BYTES { bytes } else { Self::BYTES };
        Self { bytes, ..self }
    }

    pub(crate) fn todos(self) -> usize {
        self.todos
    }

    /// How many of these todos fit on the page.
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
        Self { todos: Self::DEFAULT, ..Self::LARGEST }
    }
}

/// A number of todos, as a caller requests it.
impl TryFrom<i64> for PageSize {
    type Error = PageSizeError;

    fn try_from(number: i64) -> Result<Self, PageSizeError> {
        match usize::try_from(number) {
            Ok(todos @ 1..=Self::MAX) => Ok(Self { todos, ..Self::LARGEST }),
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
