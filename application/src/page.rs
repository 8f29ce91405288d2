//! How a long list is read piece by piece.

use thiserror::Error;
use todo_domain::Todo;

use crate::cursor::Cursor;

/// How many todos a page holds at most: 1 to 200, 50 unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(usize);

/// The number is no page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 1 to {max}", max = PageSize::MAX)]
pub struct PageSizeError;

impl PageSize {
    /// The largest page.
    pub const MAX: usize = 200;
    /// The page of someone who did not ask for a size.
    pub const DEFAULT: usize = 50;
    /// As much as there is at once.
    pub const LARGEST: Self = Self(Self::MAX);

    pub(crate) fn get(self) -> usize {
        self.0
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(Self::DEFAULT)
    }
}

impl TryFrom<i64> for PageSize {
    type Error = PageSizeError;

    fn try_from(number: i64) -> Result<Self, PageSizeError> {
        match usize::try_from(number) {
            Ok(size @ 1..=Self::MAX) => Ok(Self(size)),
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
