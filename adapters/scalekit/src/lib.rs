//! Verification of access tokens that a Scalekit environment issues, for a server built on
//! [`protected_mcp`].
//!
//! ```text
//! Scalekit                     all of the following, for one server
//! ScalekitEnvironment          the environment, and the URLs and claims that follow from it
//! ScalekitHttp                 fetches its public documents, bounded in time and size
//! ScalekitKeys                 its signing keys: fetched, refreshed, kept during outages, rotated
//! ScalekitTokenVerifier        implements `Authenticator`: bearer token -> `Caller`, or a rejection
//! ScalekitAuthorizationServer  implements `AuthorizationServer`: its metadata, forwarded
//! PublishedKeys, UnverifiedClaims   for explaining a rejection; nothing is decided with them
//! ```
//!
//! To follow a token, start at [`ScalekitTokenVerifier`]: it is an `UnverifiedToken` until its
//! signature has been checked with one of the environment's keys, and only that check yields the
//! `SignedPayload` that claims are read from. The rules for claims are in one table, in `claims.rs`;
//! those for fetching keys in another, in `keys/schedule.rs`. Accepted tokens are cached by the rules
//! of `token_cache.rs`; the others share the CPU time of `budget.rs`.
//!
//! No token is ever part of a log line, an error or a `Debug` text of this crate. Time comes from
//! [`protected_mcp::Clock`], so every rule about time is tested to the millisecond. Only the budget of CPU
//! time goes by Tokio's clock, which cannot be set.

mod authorization_server;
mod budget;
mod claims;
mod elapsed;
mod environment;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod inspection;
mod invalid_token;
mod json;
mod key_set;
mod keys;
mod lifetime;
mod numeric_date;
mod protection;
mod single_flight;
mod statistics;
mod token_cache;
mod unverified_token;
mod verifier;

pub use authorization_server::ScalekitAuthorizationServer;
pub use environment::{EnvironmentError, ScalekitEnvironment};
pub use http::{HttpClientError, ScalekitHttp};
pub use inspection::{PublishedKeys, UnverifiedClaims};
pub use invalid_token::{InvalidToken, VerificationError};
pub use keys::ScalekitKeys;
pub use protection::{ConnectError, Scalekit};
pub use statistics::{KeyStatistics, Statistics, TokenStatistics};
pub use verifier::ScalekitTokenVerifier;

#[cfg(test)]
mod test_issuer;
#[cfg(test)]
mod test_tokens;
