//! The routes.

mod authorize;
mod client_authentication;
mod command_token;
pub(crate) mod connections;
mod consent;
mod discovery;
mod error_response;
mod form;
mod host;
mod origin;
mod registration;
mod revocation;
mod token;
mod userinfo;

use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde_json::json;
use tower_http::cors::{Any, CorsLayer};

use crate::environment::SharedEnvironment;
use crate::json::JsonBody;
use crate::pages::{self, Problem};
use crate::urls::AuthorizationServer;

const LARGEST_BODY: usize = 64 * 1024;

pub(crate) fn router(environment: SharedEnvironment) -> Router {
    let resource = environment.urls.resource_id.as_str();
    for_clients(resource)
        .layer(cors())
        .merge(for_people(resource))
        // No CORS, and JSON only: a web page cannot call it.
        .route("/emulator/token", post(command_token::mint))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(host::require_loopback))
        .with_state(environment)
}

fn for_clients(resource: &str) -> Router<SharedEnvironment> {
    Router::new()
        .route(
            &format!("/.well-known/oauth-authorization-server/resources/{resource}"),
            get(discovery::authorization_server),
        )
        .route(
            &format!("/resources/{resource}/.well-known/oauth-authorization-server"),
            get(discovery::authorization_server),
        )
        .route("/.well-known/openid-configuration", get(discovery::openid_configuration))
        .route("/keys", get(discovery::keys))
        .route(
            &format!("/api/v1/resources/{resource}/clients:register"),
            post(registration::register),
        )
        .route(&format!("/resources/{resource}/oauth/token"), post(token::token))
        .route("/oauth/token", post(token::token))
        .route(&format!("/resources/{resource}/oauth/revoke"), post(revocation::revoke))
        .route("/oauth/revoke", post(revocation::revoke))
        .route("/userinfo", get(userinfo::userinfo))
        .fallback(not_found)
}

/// No CORS: a page of another origin could read the single-use request id of the consent page (RFC 9700
/// section 2.6).
fn for_people(resource: &str) -> Router<SharedEnvironment> {
    let authorize = |server| {
        get(async move |State(environment): State<SharedEnvironment>, RawQuery(query): RawQuery| {
            let query = query.as_deref().unwrap_or_default();
            authorize::authorize(server, &environment, query).await
        })
    };
    Router::new()
        .route("/", get(welcome))
        .route(
            &format!("/resources/{resource}/oauth/authorize"),
            authorize(AuthorizationServer::OfTheResource),
        )
        .route("/oauth/authorize", authorize(AuthorizationServer::OfTheEnvironment))
        .route(consent::PATH, post(consent::decide).get(consent::revisit))
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            HeaderName::from_static("mcp-protocol-version"),
        ])
        .expose_headers([header::WWW_AUTHENTICATE])
}

async fn welcome(State(environment): State<SharedEnvironment>) -> Response {
    pages::welcome::welcome(&environment)
}

async fn not_found(State(environment): State<SharedEnvironment>, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|types| types.contains("text/html")) {
        let problem = Problem {
            title: "There is no such page",
            explanation: "The local Scalekit has nothing at this address.".to_owned(),
            what_to_do: format!(
                "See {} for what it is, or connect an MCP client to {}.",
                environment.urls.environment,
                environment.urls.server.mcp_url()
            ),
        };
        return pages::problem(StatusCode::NOT_FOUND, &environment.text.name, &problem);
    }
    let body = json!({ "error": "not_found", "error_description": "Scalekit has nothing here" });
    (StatusCode::NOT_FOUND, JsonBody(body)).into_response()
}
