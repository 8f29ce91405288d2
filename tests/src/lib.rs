//! What the tests share: adapters under the control of a test, clients, servers and samples.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests panic on failure"
)]

pub mod client;
mod clock;
pub mod events;
pub mod example;
pub mod exchange;
pub mod head;
mod ids;
pub mod issuer;
pub mod listener;
mod permitted;
pub mod postgres;
pub mod proxy;
mod sample;
pub mod schema;
pub mod scrape;
pub mod server;

pub use clock::ManualClock;
pub use ids::SequentialIds;
pub use permitted::Permitted;
pub use sample::{
    any_due_priority_labels, due, operator, read_permit, todo_record, workspace, write_permit,
    write_permit_for_everyone, write_permit_of,
};
