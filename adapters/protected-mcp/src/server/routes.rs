//! The routes of a server.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, Method, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::http::connections::Connection;
use crate::http::endpoint::Endpoint;
use crate::http::hosts::AllowedHosts;
use crate::http::origins::AllowedOrigins;
use crate::http::page::Page;
use crate::http::{documents, health};
use crate::oauth::{
    AUTHORIZATION_SERVER, AuthorizationServer, PROTECTED_RESOURCE, ProtectedResource, PublicUrl,
};
use crate::readiness::Readiness;

/// The path of the endpoint under the public URL.
pub(super) const ENDPOINT: &str = "/mcp";

/// Where a client finds documents about a host (RFC 8615).
pub(super) const WELL_KNOWN: &str = "/.well-known/";

/// What the well-known documents need.
pub(super) struct Documents {
    pub(super) hosts: AllowedHosts,
    pub(super) protected_resource: Arc<ProtectedResource>,
    pub(super) authorization_server: Arc<dyn AuthorizationServer>,
    pub(super) page: Arc<Page>,
    /// Names below [`WELL_KNOWN`], and what is there.
    pub(super) well_known: Vec<(&'static str, Bytes)>,
}

pub(super) fn routes(
    public_url: &PublicUrl,
    endpoint: Arc<Endpoint>,
    origins: AllowedOrigins,
    documents: Documents,
    readiness: Arc<[Arc<dyn Readiness>]>,
) -> Router {
    let prefix = public_url.path();
    let endpoint = endpoint_routes(endpoint, origins);
    let mut all = Router::new().merge(endpoint.clone()).merge(document_routes(prefix, documents));
    if !prefix.is_empty() {
        // For a proxy that keeps the prefix; one that strips it needs nothing.
        all = all.nest(prefix, endpoint);
    }
    all.merge(probes(readiness)).fallback(documents::not_found)
}

/// What an orchestrator asks.
pub(super) fn probes(readiness: Arc<[Arc<dyn Readiness>]>) -> Router {
    Router::new()
        .route("/readyz", get(health::ready))
        .with_state(readiness)
        .route(health::HEALTH, get(health::live))
}

fn endpoint_routes(endpoint: Arc<Endpoint>, origins: AllowedOrigins) -> Router {
    let methods = || post(post_message).fallback(not_post);
    Router::new()
        .route(ENDPOINT, methods())
        .route(&format!("{ENDPOINT}/"), methods())
        .layer(endpoint_cors(origins))
        .with_state(endpoint)
}

async fn post_message(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    endpoint.post(request, connection.as_ref()).await
}

async fn not_post(
    State(endpoint): State<Arc<Endpoint>>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    endpoint.not_post(&method, &headers, &uri)
}

/// Lets the pages that may use the endpoint read its answers and its challenges.
fn endpoint_cors(origins: AllowedOrigins) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| origins.allows(origin)))
        .allow_methods([Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, HeaderName::from_static("mcp-session-id")])
        .max_age(Duration::from_hours(1))
}

/// Any page may read the documents, but only under the server's own hosts.
fn document_routes(prefix: &str, documents: Documents) -> Router {
    let Documents { hosts, protected_resource, authorization_server, page, well_known } = documents;
    let mut resource = Router::new()
        .route(PROTECTED_RESOURCE, get(documents::protected_resource))
        .route(&format!("{PROTECTED_RESOURCE}{ENDPOINT}"), get(documents::protected_resource))
        // For clients that were given the endpoint with a slash at its end.
        .route(&format!("{PROTECTED_RESOURCE}{ENDPOINT}/"), get(documents::protected_resource));
    if !prefix.is_empty() {
        let inserted = format!("{PROTECTED_RESOURCE}{prefix}{ENDPOINT}");
        resource = resource.route(&inserted, get(documents::protected_resource));
    }
    let texts = well_known.into_iter().fold(Router::new(), |texts, (name, text)| {
        let route = Router::new().route(&format!("{WELL_KNOWN}{name}"), get(documents::text));
        texts.merge(route.with_state(text))
    });
    Router::new()
        .route(AUTHORIZATION_SERVER, get(documents::authorization_server))
        .with_state(authorization_server)
        .merge(resource.with_state(protected_resource))
        .merge(Router::new().route("/", get(documents::front_page)).with_state(page))
        .merge(texts)
        .route_layer(from_fn_with_state(Arc::new(hosts), check_host))
        .layer(CorsLayer::new().allow_origin(Any).allow_headers(AllowHeaders::mirror_request()))
}

async fn check_host(
    State(hosts): State<Arc<AllowedHosts>>,
    request: Request,
    next: Next,
) -> Response {
    match hosts.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(denied) => denied.into_response(None),
    }
}
