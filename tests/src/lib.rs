//! What the tests share: adapters that do as they are told, and things to test with.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so at once"
)]

pub mod client;
mod clock;
pub mod events;
pub mod exchange;
mod ids;
pub mod issuer;
pub mod listener;
pub mod postgres;
pub mod proxy;
mod sample;
pub mod schema;
pub mod server;

pub use clock::ManualClock;
pub use ids::SequentialIds;
pub use sample::{todo_record, workspace};
