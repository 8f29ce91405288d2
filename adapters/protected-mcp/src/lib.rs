//! An MCP server over Streamable HTTP as an OAuth 2.0 protected resource, for any tools.
//!
//! ```text
//!  server ─ http ─ features ─ limits ─ observation ─ oauth ─ protocol ─ jsonrpc    each layer knows those to its right
//! ```
//!
//! | layer | holds |
//! |---|---|
//! | `jsonrpc` | bytes to messages and back, and the one error of a request |
//! | `protocol` | revisions, parameters, and what every result carries |
//! | `oauth` | bearer tokens, callers, scopes, challenges, metadata |
//! | `observation` | what is known about requests and operations, for the log and for observers |
//! | `limits` | what one caller and all of them may use: rate, bytes, places at work, streams |
//! | `features` | tools, resources, prompts, completions, subscriptions, and who may call them |
//! | `http` | hosts and origins, bodies, connections |
//! | `server` | the builder and the routes |
//!
//! To serve tools of your own, implement [`Tool`] and pass it to [`Server::builder`]; `examples/notes.rs`
//! is a complete server. The way of a request to `POST /mcp` is `http/endpoint.rs`, top to bottom.

mod clock;
mod features;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod json;
mod jsonrpc;
mod limits;
mod links;
mod loopback;
mod oauth;
mod observation;
mod protocol;
mod readiness;
mod server;

pub use clock::{Clock, SystemClock};
pub use features::prompts::{Prompt, PromptArgument, PromptArguments, PromptMessage, Suggestions};
pub use features::resources::{
    Annotations, Audience, Resource, ResourceChanges, ResourceContents, ResourcePage,
    ResourceTemplate, Resources, ResourcesChanged,
};
pub use features::tools::{Hints, Integer, PreparedJson, Tool};
pub use features::{Call, Completion, Failure, ScopeDenial};
pub use http::connections::{ConnectionLimit, ConnectionStatistics};
pub use http::hosts::{AllowedHosts, HostPattern, HostPatternError};
pub use http::origins::{AllowedOrigins, WebOrigin, WebOriginError};
pub use json::to_json_line;
pub use limits::Usage;
pub use links::Links;
pub use loopback::is_loopback_host;
pub use oauth::{
    AuthenticationError, Authenticator, AuthorizationServer, BoxError, Caller, PublicUrl,
    PublicUrlError, Rejection, Revocation, Revoker, Scope, Scopes,
};
pub use observation::{
    Admission, Affected, AnsweredRequest, OPERATION_TARGET, Observer, Operation, Outcome,
    PlannedChange,
};
pub use protocol::{Icon, Implementation, TraceContext};
pub use readiness::{NotReady, Readiness};
pub use server::{BuildError, Protection, Server, ServerBuilder, Statistics};
