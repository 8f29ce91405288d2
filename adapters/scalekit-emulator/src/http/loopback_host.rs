//! The guard against DNS rebinding: a web page may point its own name at 127.0.0.1, but its
//! requests then carry that name.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Answers 403 to every request that is not addressed to loopback by name.
pub(crate) async fn require(request: Request, next: Next) -> Response {
    let target = request.uri().authority();
    if target.is_none_or(is_loopback) && host(request.headers()).as_ref().is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let explanation = "The local Scalekit answers only on localhost, 127.0.0.1 and [::1].\n";
    (StatusCode::FORBIDDEN, explanation).into_response()
}

/// The one `Host` (RFC 9112 section 3.2).
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    hosts.next().is_none().then(|| host.to_str().ok()?.parse().ok()).flatten()
}

fn is_loopback(authority: &Authority) -> bool {
    let name = authority.host();
    !authority.as_str().contains('@')
        && ["localhost", "127.0.0.1", "[::1]"]
            .iter()
            .any(|loopback| name.eq_ignore_ascii_case(loopback))
}
