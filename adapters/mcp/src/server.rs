//! What answers requests.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::ORIGIN;
use axum::response::Response;
use tower_service::Service as _;

use crate::endpoint::{self, Service};

/// The path of the endpoint under the public URL.
pub(crate) const ENDPOINT: &str = "/mcp";

/// Every route of the server. Cloning gives another handle to it.
#[derive(Clone)]
pub struct Server {
    service: Arc<Service>,
    routes: Router,
}

impl Server {
    pub(crate) fn new(service: Arc<Service>, routes: Router) -> Self {
        Self { service, routes }
    }

    /// Answers a request.
    ///
    /// Nearly all are sent to the endpoint by programs, and these go there without a detour: looking
    /// for the route, and for what a page of another site may see of the answer (CORS), would cost more
    /// than reading the request does.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        if is_from_a_program(&request) {
            return endpoint::post(State(Arc::clone(&self.service)), request).await;
        }
        let mut routes = self.routes.clone();
        // Routes are always ready, and never fail.
        match routes.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Browsers name the origin of every page that sends a POST request (Fetch §3.1).
fn is_from_a_program(request: &Request<Body>) -> bool {
    request.method() == Method::POST
        && request.uri().path() == ENDPOINT
        && !request.headers().contains_key(ORIGIN)
}
