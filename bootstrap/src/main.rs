//! The program. Everything it does is in the library, where tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    todo_mcp::run(std::env::args_os())
}
