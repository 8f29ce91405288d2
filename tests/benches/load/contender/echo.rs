//! The limit of the stack: axum on the runtime of our program, and nothing in it.

use std::io::Write as _;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

use super::{Contender, Grounds, log_file, this_program};
use crate::child::Child;
use crate::failure::Result;

/// What this executable is called with to be the echo.
pub(crate) const ROLE: &str = "--as-echo";

pub(super) async fn start(grounds: &Grounds) -> Result<Contender> {
    let directory = tempfile::tempdir()?;
    let mut child = Child::start(this_program(ROLE)?, &grounds.cores, &log_file(directory.path()))?;
    let address = child.listens().await?;
    let token = "x".repeat(super::TOKEN_LENGTH);
    Ok(Contender::new((child, address), "/mcp", token, directory))
}

/// Serves until killed.
pub(crate) fn serve() -> Result<()> {
    // As our program makes its own, see `bootstrap/src/lib.rs`.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "listen.address={}", listener.local_addr()?)?;
        let echo = async |body: Bytes| ([(CONTENT_TYPE, "application/json")], body);
        let router = Router::new().route("/mcp", post(echo));
        let listener = listener.tap_io(|stream| {
            // If it cannot be set, the echo is slower than it could be, which shows.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}
