//! The routes.

mod authorize;
mod client_authentication;
mod command_token;
mod consent;
mod discovery;
mod error_response;
mod form;
mod loopback_host;
mod registration;
mod revocation;
mod token;
mod userinfo;
mod welcome;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, RawQuery, State},
    http::{HeaderName, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tower_http::cors::{Any, CorsLayer};

use crate::environment::{AuthorizationServer, Environment};

const LARGEST_BODY: usize = 64 * 1024;

type Shared = Arc<Environment>;

/// Everything that the environment answers.
pub(crate) fn router(environment: Shared) -> Router {
    let resource = environment.resource_id.as_str();
    called_by_clients(resource)
        .layer(cors())
        .merge(seen_by_people(resource))
        // Without CORS and for JSON only: no web page can call it.
        .route("/emulator/token", post(command_token::mint))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(loopback_host::require))
        .with_state(environment)
}

fn called_by_clients(resource: &str) -> Router<Shared> {
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

/// A page that another page could read would give its single-use request id away: the authorization
/// endpoint must not support CORS (RFC 9700 section 2.6).
fn seen_by_people(resource: &str) -> Router<Shared> {
    let authorize = |server| {
        get(async move |State(environment): State<Shared>, RawQuery(query): RawQuery| {
            let query = query.as_deref().unwrap_or_default();
            authorize::authorize(server, &environment, query).await
        })
    };
    Router::new()
        .route("/", get(welcome::welcome))
        .route(
            &format!("/resources/{resource}/oauth/authorize"),
            authorize(AuthorizationServer::OfTheResource),
        )
        .route("/oauth/authorize", authorize(AuthorizationServer::OfTheEnvironment))
        .route(consent::PATH, post(consent::decide))
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

async fn not_found() -> Response {
    let body = json!({ "error": "not_found", "error_description": "Scalekit has nothing here" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
