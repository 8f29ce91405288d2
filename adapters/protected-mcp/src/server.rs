//! Putting a server together.

mod admin;
mod builder;
mod routes;
mod statistics;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONNECTION, ORIGIN};
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_service::Service as _;

pub use builder::{BuildError, Protection, ServerBuilder};
pub use statistics::Statistics;

use routes::ENDPOINT;

use crate::http::connections::{self, Connection, Registry};
use crate::http::endpoint::Endpoint;
use crate::readiness::Readiness;

/// An MCP server. Cloning gives another handle to it.
#[derive(Clone)]
pub struct Server {
    endpoint: Arc<Endpoint>,
    routes: Router,
    /// Set to `true` to end the streams.
    stopping: Arc<watch::Sender<bool>>,
    readiness: Arc<[Arc<dyn Readiness>]>,
    connections: Arc<Registry>,
}

impl Server {
    /// Answers a request.
    ///
    /// Nearly all requests are sent to the endpoint by programs, and these go there directly: finding the
    /// route, and deciding what a page of another site may see of the answer (CORS), would cost more than
    /// reading the request.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        self.answer_on(request, None).await
    }

    async fn answer_on(
        &self,
        mut request: Request<Body>,
        connection: Option<Arc<Connection>>,
    ) -> Response {
        if is_from_a_program(&request) {
            return self.endpoint.post(request, connection.as_ref()).await;
        }
        if let Some(connection) = connection {
            request.extensions_mut().insert(connection);
        }
        let mut routes = self.routes.clone();
        // Routes are always ready, and never fail.
        match routes.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Serves all listeners, within the same limits, until `stop` is ready; then ends the streams and the idle connections, and returns when the
    /// requests in flight have completed.
    pub async fn serve(
        self,
        listeners: impl IntoIterator<Item = TcpListener>,
        stop: impl Future<Output = ()>,
    ) {
        let stopping = Arc::clone(&self.stopping);
        let stop = async move {
            stop.await;
            stopping.send_replace(true);
        };
        let registry = Arc::clone(&self.connections);
        let answer = move |request, connection| {
            let server = self.clone();
            async move {
                let mut response = server.answer_on(request, Some(connection)).await;
                if server.endpoint.draining.has_begun() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                response
            }
        };
        connections::serve(registry, listeners.into_iter().collect(), answer, stop).await;
    }

    /// Prepares the end: from now on `GET /readyz` answers 503 and each response closes its connection, so
    /// that clients and load balancers go elsewhere. Requests are served as before.
    pub fn drain(&self) {
        self.endpoint.draining.begin();
    }

    #[cfg(feature = "fuzzing")]
    pub(crate) fn features(&self) -> &crate::features::Features {
        &self.endpoint.features
    }

    /// Ends the open streams, and those to come, with their final message.
    pub fn end_streams(&self) {
        self.stopping.send_replace(true);
    }
}

/// Browsers send the origin of the page with every POST request (Fetch section 3.1).
fn is_from_a_program(request: &Request<Body>) -> bool {
    request.method() == Method::POST
        && request.uri().path() == ENDPOINT
        && !request.headers().contains_key(ORIGIN)
}
