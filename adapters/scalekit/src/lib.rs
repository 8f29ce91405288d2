//! Access tokens of a Scalekit environment: who they speak for, and whether they are any good.
//!
//! ```text
//! ScalekitEnvironment       where the environment is, and the names that its tokens carry
//! ScalekitHttp              the bounded way to fetch a public document from it
//! ScalekitKeys              its signing keys: fetched, refreshed, kept through outages, rotated
//! ScalekitTokenVerifier     port `TokenVerifier`: bearer token -> `VerifiedToken`, or why not
//! ScalekitAuthorizationServer   port `AuthorizationServer`: its metadata, forwarded
//! PublishedKeys, UnverifiedContents   for explaining a refusal; nothing is decided with them
//! ```
//!
//! Follow a token through [`ScalekitTokenVerifier`]: what it says of itself is called
//! `unverified_token` and `unverified_header` until its signature has been checked with one of the
//! environment's keys, and `signed_claims` from there on. The rules for claims stand in one table,
//! in `claims.rs`; those for fetching keys in another, in `keys/schedule.rs`. What was accepted is
//! remembered by the rules of `token_cache.rs`.
//!
//! No token is ever part of a log line, an error or a `Debug` text of this crate. Time comes from
//! the `Clock` port, so every rule about time is tested to the millisecond.

mod authorization_server;
mod claims;
mod clock;
mod environment;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod inspection;
mod json;
mod key_set;
mod keys;
mod lifetime;
mod single_flight;
mod token_cache;
mod unverified_token;
mod verified_token;
mod verifier;

pub use authorization_server::ScalekitAuthorizationServer;
pub use environment::{EnvironmentError, ScalekitEnvironment};
pub use http::{HttpClientError, ScalekitHttp};
pub use inspection::{PublishedKeys, UnverifiedContents};
pub use keys::ScalekitKeys;
pub use verified_token::VerifiedToken;
pub use verifier::ScalekitTokenVerifier;

#[cfg(test)]
mod test_issuer;
#[cfg(test)]
mod test_tokens;
