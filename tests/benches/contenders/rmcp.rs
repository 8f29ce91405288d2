//! The five tools on the official Rust SDK, `rmcp`, in the two forms that it knows.
//!
//! It gets every advantage that the library has to give: no sessions, JSON instead of streams of
//! events, one server for all requests, `TCP_NODELAY`. And three that ours does not have: it keeps its
//! todos in memory, writes no log, and lets in whoever comes, without a look at the token.

mod by_hand;
mod store;
mod with_macros;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use self::by_hand::ByHand;
use self::with_macros::WithMacros;

/// How a server on `rmcp` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// With `#[tool_router]` and `#[tool_handler]`, as its documentation teaches, and a router that is
    /// built once.
    Macros,
    /// `ServerHandler` implemented by hand: nothing between the transport and the tools.
    ByHand,
}

/// The version of `rmcp`, from the lock file that it was built with.
pub(crate) fn version() -> &'static str {
    let lock = include_str!("../../../Cargo.lock");
    let after = lock.split_once("name = \"rmcp\"\nversion = \"").map(|(_, after)| after);
    after.and_then(|it| it.split('"').next()).unwrap_or("of unknown version")
}

/// Serves `POST /mcp` until the process ends.
pub(crate) async fn serve(listener: TcpListener, form: Form) -> io::Result<()> {
    match form {
        Form::Macros => serve_handler(listener, WithMacros::default()).await,
        Form::ByHand => serve_handler(listener, ByHand::default()).await,
    }
}

async fn serve_handler(listener: TcpListener, handler: impl ServerHandler) -> io::Result<()> {
    let handler = Arc::new(handler);
    let service = StreamableHttpService::new(
        // Asked for with each request: a clone of the handler itself would copy its router.
        move || Ok(Arc::clone(&handler)),
        Arc::new(NeverSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true),
    );
    let listener = listener.tap_io(|stream| {
        // A client that is gone already is nobody's loss.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route_service("/mcp", service)).await
}
