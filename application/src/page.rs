//! How a long list is read piece by piece.

use thiserror::Error;
use todo_domain::{Now, Todo};

use crate::cursor::Cursor;

/// The most todos of a page. A page always holds one, however long.
#[derive(Debug, Clone, Copy)]
pub struct PageSize {
    todos: usize,
    fitting: Option<Fitting>,
}

/// How many of these todos, which begin a page, have room on it.
pub type Fitting = fn(&[Todo]) -> usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 1 to {max}", max = PageSize::MAX)]
pub struct PageSizeError;

impl PageSize {
    /// The largest number of todos.
    pub const MAX: usize = 200;
    /// The number of todos of a page for which no size was requested.
    pub const DEFAULT: usize = 50;
    pub const LARGEST: Self = Self { todos: Self::MAX, fitting: None };

    /// A page with no more todos than have room in what its reader makes of it.
    #[must_use]
    pub fn with_room_for(self, fitting: Fitting) -> Self {
        Self { fitting: Some(fitting), ..self }
    }

    pub(crate) fn todos(self) -> usize {
        self.todos
    }

    /// How many of these todos fit on the page.
    pub(crate) fn cut(self, todos: &[Todo]) -> usize {
        let todos = &todos[..todos.len().min(self.todos)];
        match self.fitting {
            Some(fitting) if !todos.is_empty() => fitting(todos).clamp(1, todos.len()),
            _ => todos.len(),
        }
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self { todos: Self::DEFAULT, fitting: None }
    }
}

/// A number of todos, as a caller requests it.
impl TryFrom<i64> for PageSize {
    type Error = PageSizeError;

    fn try_from(number: i64) -> Result<Self, PageSizeError> {
        match usize::try_from(number) {
            Ok(todos @ 1..=Self::MAX) => Ok(Self { todos, fitting: None }),
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
