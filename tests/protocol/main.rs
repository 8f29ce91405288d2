//! The protocol on the wire, as clients of both eras and of no era at all meet it.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on says so at once")]

mod any_bytes;
mod bad_input;
mod batches;
mod checklist;
mod completions;
mod disconnection;
mod discovery;
mod eras;
mod icons;
mod idempotency;
mod outages;
mod prompts;
mod rate_limit;
mod resources;
mod streams;
mod subscriptions;
mod tool_metadata;
mod tools;
mod web;
