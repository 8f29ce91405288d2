//! The orders in which todos are listed.

use thiserror::Error;

use crate::due::{Due, DueKey};
use crate::priority::Priority;
use crate::todo::Todo;
use crate::todo_id::TodoId;

/// The order of a list. Among equals, ids decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Oldest first.
    #[default]
    Created,
    By(Order),
}

/// An order by a number that each todo has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Earliest first, and last what is not due.
    Due,
    /// Most urgent first, then as [`Order::Due`].
    Priority,
    /// Latest change first.
    Updated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of created, due, priority, updated")]
pub struct UnknownSort;

/// A place in an order: that of a todo with this number and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// See [`Sort::key`].
    pub key: i64,
    pub id: TodoId,
}

impl Place {
    /// Before all todos.
    pub const START: Self = Self { key: i64::MIN, id: TodoId::from_bytes([0; 16]) };

    /// Of a todo in the order of creation.
    pub const fn of_id(id: TodoId) -> Self {
        Self { key: 0, id }
    }

    /// Just before all todos with this number.
    pub const fn before(key: i64) -> Self {
        Self { key: key - 1, id: TodoId::from_bytes([0xff; 16]) }
    }
}

/// The number of what is not due, after all keys of due dates. Stores know it.
const NOT_DUE: i64 = 1_000_000_000_000_000;

/// Between the numbers of two priorities. Stores know it.
const PRIORITY: i64 = 10 * NOT_DUE;

impl Sort {
    /// The number by which a todo is ordered: 0 for all in the order of creation.
    pub fn key(self, todo: &Todo) -> i64 {
        match self {
            Self::Created => 0,
            Self::By(order) => order.key(todo),
        }
    }

    pub fn place(self, todo: &Todo) -> Place {
        Place { key: self.key(todo), id: todo.id() }
    }
}

impl TryFrom<&str> for Sort {
    type Error = UnknownSort;

    fn try_from(name: &str) -> Result<Self, UnknownSort> {
        Ok(match name {
            "created" => Self::Created,
            "due" => Self::By(Order::Due),
            "priority" => Self::By(Order::Priority),
            "updated" => Self::By(Order::Updated),
            _ => return Err(UnknownSort),
        })
    }
}

impl Order {
    pub const ALL: [Self; 3] = [Self::Due, Self::Priority, Self::Updated];

    pub fn key(self, todo: &Todo) -> i64 {
        let due = Self::due(todo.due().map(Due::key));
        match self {
            Self::Due => due,
            Self::Priority => Self::of_priority(todo.priority()) + due,
            Self::Updated => -todo.updated_at().as_unix_millis(),
        }
    }

    /// The number of a due date in [`Order::Due`].
    pub fn due(key: Option<DueKey>) -> i64 {
        key.map_or(NOT_DUE, DueKey::as_i64)
    }

    /// Where a priority begins in [`Order::Priority`]. It ends where the next less urgent one begins.
    pub fn of_priority(priority: Priority) -> i64 {
        i64::from(Priority::Urgent.rank() - priority.rank()) * PRIORITY
    }

    /// Where the priority after this one begins.
    pub fn after_priority(priority: Priority) -> i64 {
        Self::of_priority(priority) + PRIORITY
    }
}
