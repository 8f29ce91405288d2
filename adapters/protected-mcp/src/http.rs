//! MCP over Streamable HTTP: which requests get in, how their bodies are read, and how they are answered.

pub(crate) mod batch;
pub(crate) mod body;
pub(crate) mod connections;
pub(crate) mod documents;
pub(crate) mod endpoint;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod hosts;
pub(crate) mod media_types;
pub(crate) mod origins;
pub(crate) mod page;
