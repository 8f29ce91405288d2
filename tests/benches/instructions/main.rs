//! What a request costs, in figures that do not wander with the machine:
//! `cargo bench -p todo-tests --bench instructions`.
//!
//! For each hot path, per request through the whole router without its sockets, with the request log:
//!
//! * the instructions of all threads, as valgrind's callgrind counts them,
//! * the heap allocations of Rust code, growing ones included, and their bytes (not those of SQLite).
//!
//! They are held against `expected.json`: the run fails if there are more than five in a hundred
//! instructions, or one in a hundred allocations or bytes, above what is expected there. Those who
//! mean it accept the new figures: `-- --accept`. Then the difference of `expected.json` shows in
//! review what a change costs or gains.
//!
//! The figures are those of one compiler, one C library and one architecture (x86-64 with AVX2, of
//! which callgrind shows every program the same one, without the SHA instructions: hashing a token
//! counts for more here than it takes). Others get the table and no verdict.
//!
//! The directory that is named at the end holds a profile of each path for `callgrind_annotate`.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on says so at once")]

mod callgrind;
mod expected;
mod paths;
#[path = "../requests.rs"]
mod requests;

use std::env;
use std::process::ExitCode;

use expected::Expected;

/// Given to this program by itself.
const RUN_PATHS: &str = "--run-paths";

fn main() -> ExitCode {
    let asked = |argument: &str| env::args().any(|it| it == argument);
    if asked(RUN_PATHS) {
        paths::run(|allocated| println!("{}", serde_json::to_string(allocated).unwrap()));
        return ExitCode::SUCCESS;
    }
    let Some(counted) = callgrind::count(RUN_PATHS) else {
        println!("Instructions are counted by valgrind, which is not installed here.");
        return ExitCode::FAILURE;
    };
    if asked("--accept") {
        Expected::accept(counted);
        return ExitCode::SUCCESS;
    }
    let complaints = Expected::read().compare(&counted);
    println!("\nprofiles: {}", callgrind::directory().display());
    if complaints.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nMore than expected:");
    for complaint in complaints {
        println!("  {complaint}");
    }
    println!("If that is worth it: cargo bench -p todo-tests --bench instructions -- --accept");
    ExitCode::FAILURE
}
