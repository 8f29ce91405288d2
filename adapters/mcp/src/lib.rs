//! MCP over Streamable HTTP on axum, as an OAuth-protected resource.
//!
//! The adapter translates: HTTP and JSON-RPC in, use cases in the middle, JSON-RPC and HTTP out. It
//! is stateless: there are no sessions, and all that is remembered of a caller is how often it asks
//! and how many streams it has open. Answers are plain JSON, but for the stream of changes.
//!
//! How a request to `POST /mcp` comes through, each step a file:
//!
//! 1. `access` — is it meant for this host, and may this web page send it? (403)
//! 2. `bearer` — whose is it? (401 and 503, with the `challenge` that leads to a token)
//! 3. `body` — is it JSON of a bearable size? (406, 408, 413, 415, 431)
//! 4. `envelope` — which method, which id? (JSON-RPC -32700, -32600)
//! 5. `era` — which revision of the protocol, by its own rules? (-32602, -32020, -32022)
//! 6. `methods` — the answer, one module for each capability: `tools`, `resources`, `prompts`,
//!    `completions`; and `subscriptions`, whose answer goes on.
//! 7. `failure` — what went wrong in a use case, as an answer: the one exhaustive mapping.
//!
//! To add a tool, see `tools`; to add a prompt, see `prompts`.

mod access;
mod batch;
mod bearer;
mod body;
mod challenge;
mod completions;
mod cursor;
mod discovery;
mod endpoint;
mod envelope;
mod era;
mod failure;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod icons;
mod in_flight;
mod methods;
mod prompts;
mod public_url;
mod rate_limit;
mod request_log;
mod resources;
mod router;
mod rpc;
mod server;
mod server_info;
mod subscriptions;
mod tools;

pub use access::{
    AllowedHosts, AllowedOrigins, HostPattern, HostPatternError, WebOrigin, WebOriginError,
};
pub use failure::ScopeDenial;
pub use in_flight::overloaded;
pub use public_url::{PublicUrl, PublicUrlError};
pub use router::{McpOptions, McpPorts, server};
pub use server::Server;
pub use tools::tools_allowed_by;
