//! A proxy in front of the server that does not hand things on as they are.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderName;
use axum::response::Response;
use todo_tests::server::TestServer;

use crate::stand_in::{Scalekit, listen};

/// What is wrong with a proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// It puts this name into `Host`.
    Host(&'static str),
    /// It takes this header out of answers.
    Strips(&'static str),
}

struct Proxy {
    fault: Fault,
    /// `http://127.0.0.1:{port}` of the server behind.
    server: String,
    /// The host that clients ask for.
    host: String,
    client: reqwest::Client,
}

/// A server behind a proxy, both running. Gives the URL that clients use.
pub(crate) async fn server_behind(fault: Fault, scalekit: &Scalekit) -> String {
    let (listener, public_url) = listen().await;
    let settings =
        [("MCP_URL", public_url.as_str()), ("SCALEKIT_ENVIRONMENT_URL", scalekit.url.as_str())];
    let server = TestServer::with(settings).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let host = public_url.trim_start_matches("http://").to_owned();
    let proxy = Proxy { fault, server: server.base, host, client };
    let router = Router::new().fallback(forward).with_state(Arc::new(proxy));
    tokio::spawn(axum::serve(listener, router).into_future());
    public_url
}

async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let host = match proxy.fault {
        Fault::Host(host) => host,
        Fault::None | Fault::Strips(_) => &proxy.host,
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10_000).await.unwrap();
    let url = format!("{}{}", proxy.server, parts.uri.path());
    let mut headers = parts.headers;
    headers.insert("host", host.parse().unwrap());
    let answer = proxy.client.request(parts.method, url).headers(headers).body(body);
    let answer = answer.send().await.unwrap();

    let mut response = Response::builder().status(answer.status());
    *response.headers_mut().unwrap() = answer.headers().clone();
    let body = Body::from(answer.bytes().await.unwrap());
    let mut response = response.body(body).unwrap();
    if let Fault::Strips(name) = proxy.fault {
        response.headers_mut().remove(HeaderName::from_static(name));
    }
    response
}
