//! An MCP server over Streamable HTTP as an OAuth 2.0 protected resource, for any tools.

mod clock;
mod oauth;
mod readiness;

pub use clock::Clock;
pub use oauth::{
    AuthenticationError, Authenticator, AuthorizationServer, BoxError, Caller, Rejection, Scopes,
};
pub use readiness::{NotReady, Readiness};
