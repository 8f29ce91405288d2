use async_trait::async_trait;
use thiserror::Error;

/// Something that must work before requests can be served.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// What it is, in one lower-case word: `storage`, `keys`.
    fn name(&self) -> &'static str;

    /// Whether it works right now. Answers within a second, from what is known where asking would
    /// take longer.
    async fn ready(&self) -> Result<(), NotReady>;
}

/// Why it does not work, in a sentence for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotReady(pub String);
