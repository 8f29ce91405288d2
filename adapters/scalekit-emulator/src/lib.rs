//! A Scalekit environment on loopback, for development and tests.
//!
//! It publishes keys and metadata, registers clients, asks a person for consent and issues the access
//! tokens that Scalekit would issue. The server that it protects cannot tell it from Scalekit, so
//! development exercises the production verification path. Scopes, resource and user are given to it
//! with [`EmulatorOptions`].
//!
//! It listens on 127.0.0.1 only, answers only requests whose `Host` is loopback, and signs with a key
//! of its own: its tokens are worthless anywhere else.
//!
//! With the feature `testing`, tests can make it deviate while it runs, each deviation being one that
//! real servers have or had: `EmulatorHandle::set_quirks`. No request can do so, and without the
//! feature the code is not there.
//!
//! | module | holds |
//! |---|---|
//! | `options`, `emulator`, `handle` | setting up, binding and serving; access from the same process |
//! | `environment` | the state of one Scalekit environment: keys, clock, records |
//! | `urls`, `claims`, `metadata` | its URLs, and the two documents that a resource server reads |
//! | `behavior` | where a test may make the environment deviate; by default nothing does |
//! | `quirks`, `testing` | the deviations, and what else tests can do (feature `testing`) |
//! | `clients` | the client that a client id identifies |
//! | `oauth` | rules of the RFCs, free of I/O, time and storage |
//! | `state` | what is kept in memory, and the file that outlives the process |
//! | `http`, `pages`, `json` | routes, and the HTML and the JSON that they respond with |

mod behavior;
mod claims;
mod clients;
mod emulator;
mod environment;
mod error;
mod handle;
mod http;
mod identifiers;
mod json;
mod loopback;
mod metadata;
mod oauth;
mod options;
mod pages;
#[cfg(feature = "testing")]
mod quirks;
mod state;
#[cfg(feature = "testing")]
mod testing;
mod token_request;
mod urls;

#[cfg(test)]
mod tests;

pub use emulator::{ScalekitEmulator, spawn};
pub use error::EmulatorError;
pub use handle::EmulatorHandle;
pub use options::{EmulatorOptions, User};
#[cfg(feature = "testing")]
pub use quirks::{
    AudienceClaim, Cimd, ForeignKey, IssuerClaim, KeysEndpoint, MetadataForm, OrganizationClaim,
    Quirks, Registration, ScopeForm,
};
pub use token_request::TokenRequest;
