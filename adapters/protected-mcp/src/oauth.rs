//! OAuth 2.0 for a resource server: who calls, with which scopes.

mod authenticator;
mod authorization_server;
mod caller;
mod scope;

pub use authenticator::{AuthenticationError, Authenticator, Rejection};
pub use authorization_server::AuthorizationServer;
pub use caller::Caller;
pub use scope::Scopes;

/// The cause of a failure outside this crate, for the log and never for a caller.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
