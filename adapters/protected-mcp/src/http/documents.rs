//! The documents that lead a client to a token, and need none themselves.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

use super::page::Page;
use crate::jsonrpc::{Error, Reply, excerpt};
use crate::oauth::{AuthorizationServer, ProtectedResource};
use crate::observation::RequestRecord;

/// Answers with the metadata of the protected resource (RFC 9728).
pub(crate) async fn protected_resource(
    State(resource): State<Arc<ProtectedResource>>,
    headers: HeaderMap,
) -> Response {
    let reply = Reply::of_json(StatusCode::OK, resource.document(headers.get(HOST)));
    let reply = reply.with_header(public_for("public, max-age=3600"));
    if resource.varies_by_host() {
        return reply.with_header((VARY, HeaderValue::from_static("Host"))).into_response();
    }
    reply.into_response()
}

/// Answers with the authorization server's metadata (RFC 8414), verbatim: members that it adds later are
/// passed on too.
pub(crate) async fn authorization_server(
    State(authorization_server): State<Arc<dyn AuthorizationServer>>,
) -> Response {
    match authorization_server.metadata().await {
        Ok(metadata) => {
            let metadata = Bytes::copy_from_slice(metadata.as_bytes());
            let reply = Reply::of_json(StatusCode::OK, metadata);
            reply.with_header(public_for("public, max-age=300")).into_response()
        }
        Err(cause) => {
            tracing::warn!(%cause, "authorization server metadata unavailable");
            let description = "The authorization server's metadata cannot be fetched at the moment. \
                               Try again in a few seconds.";
            Error::oauth(StatusCode::BAD_GATEWAY, "server_error", description).into_response(None)
        }
    }
}

/// Answers a browser at `/` with the page for people, and a program as any path that does not exist.
pub(crate) async fn front_page(
    State(page): State<Arc<Page>>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if Page::is_wanted(&headers) {
        return page.response(StatusCode::OK, headers.get(HOST));
    }
    let mut response = not_found(method, uri).await;
    response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
    response
}

/// Answers with a text that does not change.
pub(crate) async fn text(State(text): State<Bytes>) -> Response {
    let mut response = Response::new(Body::from(text));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// Answers for a path that does not exist.
pub(crate) async fn not_found(method: Method, uri: Uri) -> Response {
    let path = excerpt(uri.path(), 100);
    let message = format!("There is nothing at `{path}`. MCP clients connect to `/mcp`.");
    let response = Error::transport(StatusCode::NOT_FOUND, message).into_response(None);
    RequestRecord::of_http(&method, &uri).log(response.status(), Duration::ZERO);
    response
}

fn public_for(directive: &'static str) -> (HeaderName, HeaderValue) {
    (CACHE_CONTROL, HeaderValue::from_static(directive))
}
