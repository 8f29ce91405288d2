//! The upper bound of this stack: axum on the runtime of todo-mcp, without any work.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::serve::ListenerExt as _;

use crate::{Result, listen, runtime};

pub(crate) fn serve(port: &str) -> Result<()> {
    runtime()?.block_on(async {
        let echo = async |body: Bytes| ([(CONTENT_TYPE, "application/json")], body);
        let listener = listen(port).await?.tap_io(|stream| {
            // Without it the echo is slower, which the figures would show.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, Router::new().route("/mcp", post(echo))).await?)
    })
}
