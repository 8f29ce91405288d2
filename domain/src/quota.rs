//! How much a workspace may hold.

use std::num::NonZeroU64;

use thiserror::Error;

/// The most that one workspace may hold; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quota {
    pub todos: Option<NonZeroU64>,
    /// Of the [bytes](crate::Todo::bytes) of all its todos.
    pub bytes: Option<NonZeroU64>,
}

/// A write would make a workspace hold more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QuotaExceeded {
    #[error("the workspace may hold at most {0} todos")]
    Todos(NonZeroU64),
    #[error("the texts of the workspace may have at most {0} bytes")]
    Bytes(NonZeroU64),
}

impl Quota {
    pub const OFF: Self = Self { todos: None, bytes: None };

    /// Whether a todo may be added to a workspace that then has so many todos and bytes.
    pub fn admits(&self, todos: u64, bytes: u64) -> Result<(), QuotaExceeded> {
        match self.todos {
            Some(limit) if todos > limit.get() => Err(QuotaExceeded::Todos(limit)),
            _ => self.admits_bytes(bytes),
        }
    }

    /// Whether a todo may be changed, which changes the bytes of its workspace. What makes it no longer is
    /// admitted although the workspace holds too much: the quota may have been set or an import made
    /// since.
    pub fn admits_change(&self, before: u64, after: u64) -> Result<(), QuotaExceeded> {
        if after <= before { Ok(()) } else { self.admits_bytes(after) }
    }

    fn admits_bytes(&self, bytes: u64) -> Result<(), QuotaExceeded> {
        match self.bytes {
            Some(limit) if bytes > limit.get() => Err(QuotaExceeded::Bytes(limit)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_the_most_that_is_admitted() {
        let limit = |number| NonZeroU64::new(number).unwrap();
        let quota = Quota { todos: Some(limit(3)), bytes: Some(limit(100)) };
        assert_eq!(quota.admits(3, 100), Ok(()));
        assert_eq!(quota.admits(4, 100), Err(QuotaExceeded::Todos(limit(3))));
        assert_eq!(quota.admits(3, 101), Err(QuotaExceeded::Bytes(limit(100))));
        assert_eq!(Quota::OFF.admits(u64::MAX, u64::MAX), Ok(()));

        assert_eq!(quota.admits_change(90, 100), Ok(()));
        assert_eq!(quota.admits_change(90, 101), Err(QuotaExceeded::Bytes(limit(100))));
        for after in [200, 199] {
            assert_eq!(quota.admits_change(200, after), Ok(()));
        }
    }
}
