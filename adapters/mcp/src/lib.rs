//! Todos over MCP: the inbound adapter of todo-mcp.
//!
//! Everything about HTTP, JSON-RPC and OAuth is in [`protected_mcp`]; this crate says which tools,
//! resources and prompts there are, turns their arguments into use cases of [`todo_application`], and what
//! comes back into JSON.
//!
//! To add a tool: write `tools/<name>.rs` with a type that implements [`protected_mcp::Tool`], and add it to
//! [`server()`]
//! and to [`summaries()`]. To add a prompt, the same in `prompts/`.

mod affected;
mod cursor;
mod failure;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod principal;
mod prompts;
mod resources;
mod scopes;
mod server;
mod tools;
mod view;

pub use principal::TIME_ZONE_CLAIM;
pub use server::server;
pub use tools::{HintReasons, ToolSummary, summaries, tools_allowed_by};
