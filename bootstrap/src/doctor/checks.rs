//! The checks, in the order of the report.
//!
//! | module | looks at |
//! |---|---|
//! | `settings` | the settings, and where access tokens come from |
//! | `public_url` | the public URL, and how it goes with ports, hosts and origins |
//! | `database` | PostgreSQL: its connections, its durability, and what is in between |
//! | `environment` | whether the environment URL leads to a Scalekit environment |
//! | `clock` | whether the clocks of Scalekit and of this machine agree |
//! | `keys` | whether Scalekit publishes a key for signatures |
//! | `metadata` | whether Scalekit publishes metadata for this MCP server |
//! | `authorization_server` | what that metadata promises clients |
//! | `token` | an access token, in the steps of the verifier |
//! | `server` | the metadata of the server at the public URL |
//! | `challenge` | its answer to a request without a token |
//! | `listing` | what the directories of assistants demand |

pub(super) mod authorization_server;
pub(super) mod challenge;
pub(super) mod clock;
#[cfg(feature = "postgres")]
pub(super) mod database;
pub(super) mod environment;
pub(super) mod keys;
pub(super) mod listing;
pub(super) mod metadata;
pub(super) mod public_url;
pub(super) mod server;
pub(super) mod settings;
pub(super) mod token;
