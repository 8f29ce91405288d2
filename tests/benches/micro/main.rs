//! Times the parts of a request: `cargo bench -p todo-tests --bench micro`.
//!
//! Divan prints the time of one call. An argument selects benchmarks, such as `storage` or
//! `router::get_todo`. Times depend on the machine and its load: compare figures of one run only, and use
//! the `instructions` benchmark to detect regressions.
//!
//! * `token`: the verifier with a cached token and with a new one, and a bare RS256 verification by
//!   aws-lc-rs, the lower bound of the latter
//! * `reading`: a request from its bytes to its method and era
//! * `router`: whole requests over a store in memory, without sockets and log; and the JSON of a response
//!   with 50 todos, written from a tree, for comparison with the list
//! * `storage`: each method of the port in memory, in SQLite and, if installed, in PostgreSQL; writes to
//!   the latter two are durable when the call returns
//! * `words`: what a text is searched by, in several scripts
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

mod reading;
#[path = "../requests.rs"]
mod requests;
mod router;
mod storage;
mod token;
mod words;

use tokio::runtime::{Builder, Runtime};

/// One thread, so that no time is spent on switching.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn main() {
    divan::main();
}
