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
//! | module | holds |
//! |---|---|
//! | `emulator` | binding, serving, minting in process |
//! | `environment` | what one Scalekit environment is: its names, its key, its clock, its state |
//! | `claims`, `metadata` | the two documents a resource server reads, each written in one place |
//! | `oauth` | rules of the RFCs, pure |
//! | `state` | what is remembered, and the file that outlives the process |
//! | `http`, `pages` | routes, and the HTML that people see |

mod claims;
mod emulator;
mod environment;
mod error;
mod http;
mod identifiers;
mod identity;
mod metadata;
mod oauth;
mod pages;
mod state;

#[cfg(test)]
mod tests;

pub use emulator::{EmulatorHandle, EmulatorOptions, ScalekitEmulator};
pub use error::EmulatorError;
pub use identity::{LOCAL_CLIENT, LOCAL_ORGANIZATION, LOCAL_RESOURCE_ID, LOCAL_USER, TokenRequest};
