use std::sync::Arc;

use async_trait::async_trait;

use super::BoxError;

/// The authorization server whose metadata is forwarded for clients that look for it on the resource
/// server's own host (MCP 2025-03-26).
#[async_trait]
pub trait AuthorizationServer: Send + Sync {
    /// Its metadata document for this resource (RFC 8414), verbatim: JSON text that may be a few
    /// minutes old.
    async fn metadata(&self) -> Result<Arc<str>, BoxError>;
}
