//! What has happened to keys and tokens, for metrics.

use std::time::Duration;

/// What has happened at a Scalekit environment, and how it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    pub keys: KeyStatistics,
    pub tokens: TokenStatistics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyStatistics {
    /// How many keys are known.
    pub known: usize,
    /// For how long, since they were last fetched. `None` if none is known.
    pub age: Option<Duration>,
    /// Fetches that have returned keys.
    pub fetched: u64,
    /// Fetches that have not.
    pub failed: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TokenStatistics {
    /// Tokens that were accepted from the cache.
    pub cache_hits: u64,
    /// The others, by what their verification came to: `accepted`, the [code](crate::InvalidToken::code) of
    /// a rejection, `keys_unavailable`, `overloaded` or `client_not_allowed`.
    pub verifications: Vec<(&'static str, u64)>,
    /// Tokens that wait for their verification.
    pub waiting: usize,
    /// How much of the CPU time for verifications that is saved up at most is spent, from 0 to 1. At 1, new
    /// tokens wait.
    pub budget_used: f64,
}
