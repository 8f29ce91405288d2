//! The protocol on the wire, with valid clients of both eras and with invalid ones.
#![expect(clippy::panic, clippy::unwrap_used, reason = "tests panic on failure")]

mod all_arguments;
mod answer_size;
mod any_bytes;
mod bad_input;
mod batches;
mod bulk;
mod changes;
mod checklist;
mod completions;
mod disconnection;
mod discovery;
mod due_dates;
mod encodings;
mod eras;
mod icons;
mod idempotency;
mod outages;
mod prompts;
mod quota;
mod rate_limit;
mod resources;
mod searches;
mod streams;
mod subscriptions;
mod text;
mod tool_metadata;
mod tools;
mod undo;
mod web;
