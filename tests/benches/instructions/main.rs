//! Counts what a request costs: `cargo bench -p todo-tests --bench instructions`.
//!
//! For each hot path, per request through the whole router without its sockets, with the request log:
//!
//! * the instructions of all threads, as valgrind's callgrind counts them,
//! * the heap allocations of Rust code, including reallocations, and their bytes (not those of SQLite).
//!
//! They are compared with `expected.json`: the run fails if a path takes more than 5 % more instructions,
//! or 2 % more allocations or bytes, than the file says. `-- --accept` writes the new counts to the file,
//! whose diff then shows a reviewer what a change costs or gains.
//!
//! The counts hold for one compiler, one C library and one architecture (x86-64 with AVX2: callgrind
//! emulates a processor without the SHA instructions, so hashing a token counts for more here than it
//! takes). With another compiler or architecture the table is printed and nothing fails.
//!
//! The directory named at the end holds a profile of each path for `callgrind_annotate`.
#![expect(clippy::print_stdout, reason = "prints its results")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first error")]

mod callgrind;
mod expected;
mod paths;
#[path = "../requests.rs"]
mod requests;

use std::env;
use std::process::ExitCode;

use expected::Expected;

/// The argument with which this program runs itself under valgrind.
const RUN_PATHS: &str = "--run-paths";

fn main() -> ExitCode {
    let has = |argument: &str| env::args().any(|it| it == argument);
    if has(RUN_PATHS) {
        paths::run(|allocated| println!("{}", serde_json::to_string(allocated).unwrap()));
        return ExitCode::SUCCESS;
    }
    let Some(counted) = callgrind::count(RUN_PATHS) else {
        println!("valgrind is not installed; it is needed to count instructions");
        return ExitCode::FAILURE;
    };
    if has("--accept") {
        Expected::accept(counted);
        return ExitCode::SUCCESS;
    }
    let regressions = Expected::read().compare(&counted);
    println!("\nprofiles: {}", callgrind::directory().display());
    if regressions.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nMore than expected:");
    for regression in regressions {
        println!("  {regression}");
    }
    println!("To accept these counts: cargo bench -p todo-tests --bench instructions -- --accept");
    ExitCode::FAILURE
}
