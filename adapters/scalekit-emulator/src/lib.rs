//! A Scalekit environment on loopback, for development and tests.
//!
//! This crate is an *external system in miniature*. It knows nothing of todos: it publishes keys and
//! metadata, registers clients, asks a person for consent and issues the access tokens that Scalekit
//! would issue. The server that it serves cannot tell it from Scalekit, so development exercises the
//! production verification path.
//!
//! It listens on 127.0.0.1 only, answers only requests whose `Host` is loopback, and signs with a
//! key of its own: its tokens are worthless anywhere else.
//!
//! Tests make it odd while it runs, each oddity being one that real servers have or had:
//! [`EmulatorHandle::set_quirks`]. Nothing that comes over HTTP can do so, and the program never does.
//!
//! | module | holds |
//! |---|---|
//! | `emulator`, `handle` | binding and serving; what code in the same process can do |
//! | `environment` | what one Scalekit environment is: its names, its keys, its clock, its state |
//! | `claims`, `metadata` | the two documents a resource server reads, each written in one place |
//! | `oauth` | rules of the RFCs, pure |
//! | `quirks` | what may be odd about the environment, for tests: each variant names its bug |
//! | `clients`, `client_documents` | who a client id names; those that describe themselves at a URL |
//! | `state` | what is remembered, and the file that outlives the process |
//! | `http`, `pages` | routes, and the HTML that people see |

mod claims;
mod client_documents;
mod clients;
mod emulator;
mod environment;
mod error;
mod handle;
mod http;
mod identifiers;
mod identity;
mod metadata;
mod oauth;
mod pages;
mod quirks;
mod state;

#[cfg(test)]
mod tests;

pub use emulator::{EmulatorOptions, ScalekitEmulator};
pub use error::EmulatorError;
pub use handle::EmulatorHandle;
pub use identity::{LOCAL_CLIENT, LOCAL_ORGANIZATION, LOCAL_RESOURCE_ID, LOCAL_USER, TokenRequest};
pub use quirks::{
    AudienceClaim, Cimd, ForeignKey, IssuerClaim, KeysEndpoint, MetadataForm, OrganizationClaim,
    Quirks, Registration, ScopeForm,
};
