//! What the programs of an operator read, apart from the endpoint.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tower_service::Service as _;

use super::{Server, routes};
use crate::http::connections::{self, ConnectionLimit, Registry};
use crate::jsonrpc::{Error, excerpt};

/// The files and sockets that it may use: a few programs ask every few seconds.
const FILES: usize = 64;

/// Of the text format of Prometheus.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Server {
    /// Serves `GET /metrics` until `stop` is ready, and `/healthz` and `/readyz` with the answers that they
    /// have beside the endpoint. `metrics` returns the text format 0.0.4 of Prometheus.
    ///
    /// Every client that reaches the listener may read it, under any host and without a token: orchestrators and
    /// Prometheus address a machine by whatever name or address they know. It has few connections, within
    /// the same limits of time as those of the endpoint, and takes none of them.
    pub async fn serve_admin(
        &self,
        listener: TcpListener,
        metrics: impl Fn() -> String + Clone + Send + Sync + 'static,
        stop: impl Future<Output = ()>,
    ) {
        let page = async move || {
            let headers = [(CONTENT_TYPE, TEXT_FORMAT), (CACHE_CONTROL, "no-store")];
            (headers, metrics()).into_response()
        };
        let probes = routes::probes(Arc::clone(&self.readiness));
        let routes = Router::new().route("/metrics", get(page)).merge(probes).fallback(nothing);
        let answer = move |request: Request, _| {
            let mut routes = routes.clone();
            async move {
                // Routes are always ready, and never fail.
                match routes.call(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        };
        let registry = Arc::new(Registry::new(ConnectionLimit::for_open_files(FILES)));
        connections::serve(registry, vec![listener], answer, stop).await;
    }
}

async fn nothing(uri: Uri) -> Response {
    let path = excerpt(uri.path(), 100);
    let message =
        format!("There is nothing at `{path}`, but at `/metrics`, `/healthz` and `/readyz`.");
    Error::transport(StatusCode::NOT_FOUND, message).into_response(None)
}
