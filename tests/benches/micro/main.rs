//! How long the parts of a request take: `cargo bench -p todo-tests --bench micro`.
//!
//! Times of one call in ns, µs or ms, by divan; an argument names what to run, such as `storage` or
//! `router::get_todo`. They wander with the machine, so compare those of one run: what has to keep
//! still is in the benchmark `instructions`.
//!
//! * `token` — the verifier with a token that it remembers and with one that it has never seen, and a
//!   bare RS256 verification by aws-lc-rs, below which the latter cannot come
//! * `reading` — a request from its bytes to its method and era
//! * `router` — whole requests over a store in memory, without sockets and log; and the JSON of an
//!   answer with 50 todos, written from a tree, as the yardstick for the one with a list
//! * `storage` — each verb of the port in memory, in an SQLite file and, where it is installed, in
//!   PostgreSQL; of the latter two a write is on disk when it ends
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says so at once")]

mod reading;
#[path = "../requests.rs"]
mod requests;
mod router;
mod storage;
mod token;

use tokio::runtime::{Builder, Runtime};

/// One thread, so that nothing but the work itself takes time.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn main() {
    divan::main();
}
