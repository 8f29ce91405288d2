//! A proxy in front of the server that changes requests or responses.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::response::Response;
use todo_tests::proxy::Upstream;
use todo_tests::server::TestServer;

use crate::stand_in::{Scalekit, listen};

/// The fault of a proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It sends this `Host`.
    Host(&'static str),
    /// It removes this response header.
    Strips(&'static str),
    /// It replaces a part of response bodies.
    Replaces(&'static str, &'static str),
}

struct Proxy {
    fault: Fault,
    server: Upstream,
}

/// Starts a server behind a proxy, and returns the URL that clients use.
pub(crate) async fn server_behind(fault: Fault, scalekit: &Scalekit) -> String {
    server_with(&[], fault, scalekit).await
}

/// The same with these additional settings.
pub(crate) async fn server_with(
    settings: &[(&str, &str)],
    fault: Fault,
    scalekit: &Scalekit,
) -> String {
    let (listener, public_url) = listen().await;
    let own =
        [("MCP_URL", public_url.as_str()), ("SCALEKIT_ENVIRONMENT_URL", scalekit.url.as_str())];
    let server = TestServer::with(own.into_iter().chain(settings.iter().copied())).await;
    let server = Upstream::new(server.base.trim_start_matches("http://").to_owned());
    let router = Router::new().fallback(forward).with_state(Arc::new(Proxy { fault, server }));
    tokio::spawn(axum::serve(listener, router).into_future());
    public_url
}

async fn forward(State(proxy): State<Arc<Proxy>>, mut request: Request) -> Response {
    if let Fault::Host(name) = proxy.fault {
        request.headers_mut().insert(HOST, HeaderValue::from_static(name));
    }
    let mut response = proxy.server.forward(request).await;
    if let Fault::Strips(name) = proxy.fault {
        response.headers_mut().remove(name);
    }
    if let Fault::Replaces(text, other) = proxy.fault {
        let (mut parts, body) = response.into_parts();
        parts.headers.remove(CONTENT_LENGTH);
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8(body.into()).unwrap().replace(text, other);
        return Response::from_parts(parts, body.into());
    }
    response
}
