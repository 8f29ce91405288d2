//! What MCP adds to JSON-RPC: revisions, parameters, and the members that every result carries.

mod era;
pub(crate) mod errors;
mod frame;
mod implementation;
mod method;
mod params;
mod revision;
mod trace_context;

pub(crate) use era::{Era, LEGACY, SUPPORTED};
pub(crate) use frame::{CacheHints, Frame};
pub(crate) use implementation::ServerDescription;
pub use implementation::{Icon, Implementation};
pub(crate) use method::Method;
pub(crate) use params::Params;
pub(crate) use revision::{
    allows_batches, check_log_level, check_version, era_of, stated_revision,
};
pub use trace_context::TraceContext;
pub(crate) use trace_context::trace_contexts;

/// A request with the parameters that MCP knows.
pub(crate) type Request<'a> = crate::jsonrpc::Request<'a, Params<'a>>;
