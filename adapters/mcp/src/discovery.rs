//! The documents that lead a client from our URL to a token, and need none themselves.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use todo_application::domain::Permission;

use crate::endpoint::Service;
use crate::public_url::PublicUrl;

/// RFC 9728 §3.
pub(crate) const PROTECTED_RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// RFC 8414 §3. Clients of MCP 2025-03-26 look for it on the MCP server's own host.
pub(crate) const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";

/// The metadata of the protected resource (RFC 9728 §2), written once.
#[derive(Debug, Clone)]
pub(crate) struct ProtectedResource(Bytes);

impl ProtectedResource {
    /// `authorization_server` is the issuer as its own metadata names it, byte for byte.
    pub(crate) fn new(public_url: &PublicUrl, authorization_server: &str) -> Self {
        #[derive(Serialize)]
        struct Metadata<'a> {
            resource: &'a str,
            authorization_servers: [&'a str; 1],
            scopes_supported: [&'static str; Permission::ALL.len()],
            bearer_methods_supported: [&'static str; 1],
            resource_name: &'static str,
        }
        let metadata = Metadata {
            resource: &public_url.resource(),
            authorization_servers: [authorization_server],
            scopes_supported: Permission::ALL.map(Permission::scope),
            bearer_methods_supported: ["header"],
            resource_name: "Todo",
        };
        Self(serde_json::to_vec(&metadata).unwrap_or_default().into())
    }
}

pub(crate) async fn protected_resource(State(service): State<Arc<Service>>) -> Response {
    document(StatusCode::OK, Body::from(service.resource.0.clone()), "public, max-age=3600")
}

/// Scalekit's own document, word for word: what it adds tomorrow is passed on too.
pub(crate) async fn authorization_server(State(service): State<Arc<Service>>) -> Response {
    match service.authorization_server.metadata().await {
        Ok(metadata) => {
            let body = Body::from(Bytes::copy_from_slice(metadata.as_bytes()));
            document(StatusCode::OK, body, "public, max-age=300")
        }
        Err(cause) => {
            tracing::warn!(%cause, "the authorization server's metadata cannot be had");
            let body = serde_json::json!({
                "error": "server_error",
                "error_description": "The authorization server's metadata cannot be had at the \
                                      moment. Try again in a few seconds.",
            });
            document(StatusCode::BAD_GATEWAY, Body::from(body.to_string()), "no-store")
        }
    }
}

fn document(status: StatusCode, body: Body, cache: &'static str) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}
