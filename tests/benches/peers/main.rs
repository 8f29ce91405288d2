//! The programs that the load benchmark runs beside todo-mcp, in one executable. Its first argument
//! chooses one; see `tests/benches/load/` for how they are used.
//!
//! * `echo PORT`: axum returns the body of the request
//! * `rmcp FORM PORT [ISSUER]`: the same tools on the official SDK; with an issuer, it verifies tokens
//! * `issuer`: an issuer of access tokens
//! * `postgres`: a PostgreSQL server from the installed binaries
//! * `verify`: times bare RS256 verifications
//! * `adapter URL WORKSPACE STATEMENT SECONDS`: calls the PostgreSQL adapter
//!
//! `echo` and `rmcp` run until they are killed; `issuer` and `postgres` answer lines of standard input
//! and exit at its end.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the caller reads the output")]

mod adapter;
mod echo;
mod issuer;
mod postgres;
mod rmcp;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

// That of todo-mcp (`bootstrap/src/main.rs`), so that the allocator makes no difference.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        ["echo", port] => echo::serve(port),
        ["rmcp", form, port] => rmcp::serve(form, port, None),
        ["rmcp", form, port, issuer] => rmcp::serve(form, port, Some(issuer)),
        ["issuer"] => issuer::serve(),
        ["postgres"] => postgres::serve(),
        ["verify"] => issuer::time_verification(),
        ["adapter", url, workspace, statement, seconds] => {
            adapter::call(url, workspace, statement, seconds)
        }
        _ => Err("unknown arguments: this program is run by `python3 tests/benches/load`".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime that todo-mcp uses.
fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

async fn listen(port: &str) -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port.parse()?)).await?)
}
