use std::sync::Arc;

use async_trait::async_trait;

use super::BoxError;

/// The authorization server that issues our tokens.
#[async_trait]
pub trait AuthorizationServer: Send + Sync {
    /// Its metadata document for this resource (RFC 8414), word for word: a JSON text that may be a
    /// few minutes old.
    async fn metadata(&self) -> Result<Arc<str>, BoxError>;
}
