//! The guard against DNS rebinding: a web page can point its own host name at 127.0.0.1, but its
//! requests then carry that name.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::loopback::is_loopback_host;

/// Responds with 403 to every request whose `Host` is not loopback.
pub(crate) async fn require_loopback(request: Request, next: Next) -> Response {
    let target = request.uri().authority();
    if target.is_none_or(is_loopback) && host(request.headers()).as_ref().is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let explanation = "The local Scalekit answers only on localhost, 127.0.0.1 and [::1]. \
                       Use one of these hosts in the URL.\n";
    (StatusCode::FORBIDDEN, explanation).into_response()
}

/// The `Host` header, of which there must be exactly one (RFC 9112 section 3.2).
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    hosts.next().is_none().then(|| host.to_str().ok()?.parse().ok()).flatten()
}

fn is_loopback(authority: &Authority) -> bool {
    !authority.as_str().contains('@') && is_loopback_host(authority.host())
}
