use async_trait::async_trait;
use thiserror::Error;

/// Something that must work before requests can be served, for `GET /readyz`.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// One lower-case word that `/readyz` shows, such as `storage` or `keys`.
    fn name(&self) -> &'static str;

    /// Whether it works right now. Must answer within a second: where asking takes longer, from what
    /// is already known.
    async fn ready(&self) -> Result<(), NotReady>;
}

/// Why something is not ready, as a sentence for the operator's log. Callers never see it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotReady(pub String);
