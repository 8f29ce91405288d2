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

    /// Whether a workspace may then have so many bytes.
    pub fn admits_bytes(&self, bytes: u64) -> Result<(), QuotaExceeded> {
        match self.bytes {
            Some(limit) if bytes > limit.get() => Err(QuotaExceeded::Bytes(limit)),
            _ => Ok(()),
        }
    }

    /// The same after a write that makes no todo longer, of which only the history grows: an eighth more, so that
    /// a full list can still be worked off.
    pub fn admits_bytes_with_reserve(&self, bytes: u64) -> Result<(), QuotaExceeded> {
        match self.bytes {
            Some(limit) if bytes > Self::with_reserve(limit).get() => {
                Err(QuotaExceeded::Bytes(limit))
            }
            _ => Ok(()),
        }
    }

    /// A limit of bytes, and an eighth.
    pub fn with_reserve(limit: NonZeroU64) -> NonZeroU64 {
        limit.saturating_add(limit.get() / 8)
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

        assert_eq!(quota.admits_bytes_with_reserve(112), Ok(()));
        let refused = quota.admits_bytes_with_reserve(113);
        assert_eq!(refused, Err(QuotaExceeded::Bytes(limit(100))));
    }
}
