use std::fmt;

use thiserror::Error;

/// How urgent a todo is, from the least to the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of low, normal, high, urgent")]
pub struct UnknownPriority;

impl Priority {
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Urgent];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// From 0 for the least urgent to 3. Stores keep it.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The inverse of [`Priority::rank`].
    pub fn from_rank(rank: i64) -> Result<Self, UnknownPriority> {
        Self::ALL.into_iter().find(|it| i64::from(it.rank()) == rank).ok_or(UnknownPriority)
    }
}

impl TryFrom<&str> for Priority {
    type Error = UnknownPriority;

    fn try_from(name: &str) -> Result<Self, UnknownPriority> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or(UnknownPriority)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_read_back_from_its_name_and_its_rank() {
        for (rank, priority) in Priority::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(priority.rank()), rank);
            assert_eq!(Priority::from_rank(i64::from(priority.rank())), Ok(priority));
            assert_eq!(Priority::try_from(priority.name()), Ok(priority));
        }
        assert!(Priority::Urgent > Priority::High);
        for name in ["", "High", "medium", "1"] {
            assert_eq!(Priority::try_from(name), Err(UnknownPriority));
        }
        assert_eq!(Priority::from_rank(4), Err(UnknownPriority));
        assert_eq!(UnknownPriority.to_string(), "must be one of low, normal, high, urgent");
    }
}
