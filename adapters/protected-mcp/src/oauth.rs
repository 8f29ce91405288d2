//! OAuth 2.0 for a resource server: who calls, with which scopes, and how a client gets a token.

mod authenticator;
mod authorization_server;
mod bearer;
mod caller;
mod caller_id;
mod challenge;
mod metadata;
mod public_url;
mod revocation;
mod scope;

pub use authenticator::{AuthenticationError, Authenticator, Rejection};
pub use authorization_server::AuthorizationServer;
pub(crate) use bearer::Authentication;
#[cfg(feature = "fuzzing")]
pub(crate) use bearer::bearer_token;
pub use caller::Caller;
pub(crate) use caller_id::CallerId;
pub(crate) use challenge::Challenge;
pub(crate) use metadata::ProtectedResource;
pub use public_url::{PublicUrl, PublicUrlError};
pub use revocation::{Revocation, Revoker};
pub(crate) use scope::is_scope;
pub use scope::{Scope, Scopes};

/// The path of the metadata of a protected resource (RFC 9728 section 3).
pub(crate) const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// The path of the metadata of an authorization server (RFC 8414 section 3). Clients of MCP 2025-03-26
/// look for it on the MCP server's own host.
pub(crate) const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";

/// The cause of a failure outside this crate, for the log and never for a caller.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
