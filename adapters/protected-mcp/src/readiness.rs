use std::sync::atomic::{AtomicBool, Ordering};

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

/// Whether the server is about to stop: it is not ready then, and serves all the same.
#[derive(Debug, Default)]
pub(crate) struct Draining(AtomicBool);

impl Draining {
    pub(crate) const NAME: &'static str = "stopping";

    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Readiness for Draining {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    async fn ready(&self) -> Result<(), NotReady> {
        if self.has_begun() {
            Err(NotReady("the server is about to stop".to_owned()))
        } else {
            Ok(())
        }
    }
}
