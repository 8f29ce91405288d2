//! The five tools on the official Rust SDK, `rmcp`.
//!
//! It has every advantage that the library offers: no sessions, JSON instead of event streams, one
//! handler for all requests, `TCP_NODELAY`. It also does less than todo-mcp: it keeps todos in memory, and
//! verifies tokens, checks scopes and writes a log only where it is given an issuer.

mod by_hand;
mod protection;
mod store;
mod with_macros;

use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use self::by_hand::ByHand;
use self::with_macros::WithMacros;
use crate::{Result, listen, runtime};

/// Serves `POST /mcp`. The form is `by-hand`, with `ServerHandler` implemented directly, or `macros`, as
/// its documentation teaches, with a router that is built once.
pub(crate) fn serve(form: &str, port: &str, issuer: Option<&str>) -> Result<()> {
    runtime()?.block_on(async {
        let router = match form {
            "by-hand" => router(ByHand::default()),
            "macros" => router(WithMacros::default()),
            _ => return Err("the form is `by-hand` or `macros`".into()),
        };
        let router = match issuer {
            None => router,
            Some(issuer) => protection::protected(router, issuer).await?,
        };
        let listener = listen(port).await?.tap_io(|stream| {
            // Without it the server is slower, which the figures would show.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

fn router(handler: impl ServerHandler) -> Router {
    let handler = Arc::new(handler);
    let service = StreamableHttpService::new(
        // Called for every request: a clone of the handler itself would copy its router.
        move || Ok(Arc::clone(&handler)),
        Arc::new(NeverSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true),
    );
    Router::new().route_service("/mcp", service)
}
