//! The routes.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use todo_application::Todos;
use todo_application::ports::{AuthorizationServer, Readiness, TokenVerifier};
use tokio::sync::watch;
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::access::{AllowedHosts, AllowedOrigins};
use crate::challenge::Challenge;
use crate::discovery::{self, AUTHORIZATION_SERVER, PROTECTED_RESOURCE, ProtectedResource};
use crate::endpoint::{self, Service};
use crate::failure::ScopeDenial;
use crate::icons::{self, Icons};
use crate::in_flight::InFlight;
use crate::public_url::PublicUrl;
use crate::rate_limit::RateLimit;
use crate::rpc::RpcError;
use crate::server::{ENDPOINT, Server};
use crate::subscriptions::StreamLimit;
use crate::tools::Catalog;
use crate::{health, prompts, server_info};

/// How the server presents itself.
#[derive(Debug, Clone)]
pub struct McpOptions {
    /// Where the world reaches it.
    pub public_url: PublicUrl,
    /// The issuer of access tokens, as its own metadata names it.
    pub authorization_server: String,
    /// The hosts that requests may name.
    pub allowed_hosts: AllowedHosts,
    /// The web origins whose pages may send requests.
    pub allowed_origins: AllowedOrigins,
    /// How a missing scope is answered.
    pub scope_denial: ScopeDenial,
    /// How many requests of one subject are answered each second on average, and ten times as many
    /// at once; `None` for no limit.
    pub rate_limit: Option<NonZeroU32>,
}

/// What the adapter drives, and what it asks.
pub struct McpPorts {
    /// The use cases.
    pub todos: Arc<Todos>,
    /// Who a bearer token stands for.
    pub verifier: Arc<dyn TokenVerifier>,
    /// Whose metadata is forwarded.
    pub authorization_server: Arc<dyn AuthorizationServer>,
    /// What must work before requests can be served.
    pub readiness: Vec<Arc<dyn Readiness>>,
    /// Becomes true when the server is to stop, or is dropped: what goes on for long ends then.
    pub stopping: watch::Receiver<bool>,
}

/// Puts the server together.
pub fn server(options: McpOptions, ports: McpPorts) -> Server {
    let McpOptions { public_url, authorization_server, .. } = options;
    let prefix = public_url.path().to_owned();
    let origins = options.allowed_origins.clone();
    let icons = Icons::new(&public_url);
    let service = Arc::new(Service {
        todos: ports.todos,
        verifier: ports.verifier,
        authorization_server: ports.authorization_server,
        readiness: ports.readiness,
        resource: ProtectedResource::new(&public_url, &authorization_server),
        challenge: Challenge::new(public_url.resource_metadata()),
        hosts: options.allowed_hosts,
        origins: options.allowed_origins,
        scope_denial: options.scope_denial,
        tools: Catalog::new(&icons),
        introduction: server_info::introduction(&icons),
        prompts: prompts::catalog(),
        rate_limit: RateLimit::new(options.rate_limit),
        in_flight: InFlight::new(),
        streams: StreamLimit::default(),
        stopping: ports.stopping,
    });

    let on_endpoint = || post(endpoint::post).fallback(endpoint::not_post);
    let endpoint = Router::new()
        .route(ENDPOINT, on_endpoint())
        .route(&format!("{ENDPOINT}/"), on_endpoint())
        .layer(endpoint_cors(origins));
    let mut documents = Router::new()
        .route(PROTECTED_RESOURCE, get(discovery::protected_resource))
        .route(&format!("{PROTECTED_RESOURCE}/mcp"), get(discovery::protected_resource))
        .route(AUTHORIZATION_SERVER, get(discovery::authorization_server));
    if !prefix.is_empty() {
        let inserted = format!("{PROTECTED_RESOURCE}{prefix}/mcp");
        documents = documents.route(&inserted, get(discovery::protected_resource));
    }
    let documents = documents
        .route_layer(from_fn_with_state(service.clone(), check_host))
        .layer(CorsLayer::new().allow_origin(Any).allow_headers(AllowHeaders::mirror_request()));

    let mut all = Router::new().merge(endpoint.clone()).merge(documents).merge(icons::routes());
    if !prefix.is_empty() {
        // A proxy that keeps the prefix, where one that strips it needs nothing.
        all = all.nest(&prefix, endpoint.merge(icons::routes()));
    }
    let routes = all
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .with_state(Arc::clone(&service));
    Server::new(service, routes)
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

/// The documents may be read by any page, but only under our own name.
async fn check_host(State(service): State<Arc<Service>>, request: Request, next: Next) -> Response {
    match service.hosts.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(denied) => RpcError::forbidden(denied.to_string()).into_response(None),
    }
}

async fn not_found(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(100).collect();
    let message = format!("There is nothing at `{path}`. MCP clients connect to `/mcp`.");
    RpcError::transport(StatusCode::NOT_FOUND, message).into_response(None)
}
