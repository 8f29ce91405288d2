//! Proxies in front of a server: one that forwards everything unchanged, and one that validates
//! what it forwards.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::exchange::{Exchange, Judge};
use crate::schema::Complaints;

/// Headers of one connection, not of the message (RFC 9110 section 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 3] =
    [CONNECTION, TRANSFER_ENCODING, HeaderName::from_static("keep-alive")];

/// The server that requests are forwarded to.
pub struct Upstream {
    address: String,
    http: Client<HttpConnector, Body>,
}

impl Upstream {
    /// The server at `address`, such as `127.0.0.1:3002`.
    pub fn new(address: String) -> Self {
        Self { address, http: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Forwards a request unchanged: method, path, query, `Host` and every other header. Both
    /// bodies stream.
    pub async fn forward(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        parts.uri = format!("http://{}{target}", self.address).parse().unwrap();
        parts.headers = message(parts.headers);
        match self.http.request(Request::from_parts(parts, body)).await {
            Ok(answer) => {
                let (mut parts, body) = answer.into_parts();
                parts.headers = message(parts.headers);
                Response::from_parts(parts, Body::new(body))
            }
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    }
}

fn message(mut headers: HeaderMap) -> HeaderMap {
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers
}

/// A port that clients can already connect to, where requests are not answered yet.
pub struct Port(TcpListener);

impl Port {
    /// Binds a port, or any free one for 0.
    pub async fn take(port: u16) -> Self {
        Self(TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap())
    }

    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.0.local_addr().unwrap().port())
    }

    /// Forwards everything to `server`, with this token if there is one.
    pub fn lead_to(self, server: SocketAddr, token: Option<&str>) -> ValidatingProxy {
        let (stop, mut stopped) = watch::channel(false);
        let token = token.map(|token| HeaderValue::try_from(format!("Bearer {token}")).unwrap());
        let url = self.url();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let upstream = Upstream::new(server.to_string());
        let shared = Arc::new(Shared { upstream, token, seen: Arc::clone(&seen) });
        let router = Router::new().fallback(hand_on).with_state(shared);
        let stopped = async move {
            // An error means that the proxy was dropped.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let serving = axum::serve(self.0, router).with_graceful_shutdown(stopped);
        let serving = tokio::spawn(async { serving.await.unwrap() });
        ValidatingProxy { url, seen, stop, serving }
    }
}

/// A running proxy that records each exchange on the MCP endpoint. A test that ends with an
/// exchange that violates the schema fails, unless it has failed already.
pub struct ValidatingProxy {
    /// The URL that clients use instead of the server's own.
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl ValidatingProxy {
    /// Takes the violations in the exchanges so far.
    pub fn complaints(&self) -> Complaints {
        let judge = Judge::default();
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.iter().flat_map(|seen| seen.complaints(&judge)).collect()
    }

    /// Ends what is in flight and frees the port.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        (&mut self.serving).await.unwrap();
    }
}

impl Drop for ValidatingProxy {
    fn drop(&mut self) {
        self.serving.abort();
        if !std::thread::panicking() {
            let complaints = self.complaints();
            assert!(complaints.is_empty(), "{complaints:#?}");
        }
    }
}

/// The state of a connection of the proxy.
struct Shared {
    upstream: Upstream,
    token: Option<HeaderValue>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A recorded exchange.
struct Seen {
    revision: Option<String>,
    request: Bytes,
    status: StatusCode,
    content_type: Option<String>,
    /// The announced length of the response, if any.
    length: Option<usize>,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Seen {
    fn complaints(&self, judge: &Judge) -> Complaints {
        let answer = self.answer.lock().unwrap();
        if self.length.is_some_and(|length| answer.len() < length) {
            // The client has disconnected.
            return Complaints::new();
        }
        let exchange = Exchange {
            revision: self.revision.as_deref(),
            request: &self.request,
            status: self.status.as_u16(),
            content_type: self.content_type.as_deref(),
            answer: &answer,
        };
        let complaints = judge.complaints(&exchange).into_iter();
        let [request, answer] = [&self.request[..], &answer].map(String::from_utf8_lossy);
        complaints.map(|it| format!("{it}\n  in {request}\n  and {answer}")).collect()
    }
}

async fn hand_on(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let is_mcp = request.method() == Method::POST && request.uri().path().ends_with("/mcp");
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let text = |headers: &HeaderMap, name| headers.get(name)?.to_str().ok().map(str::to_owned);
    let revision = text(&parts.headers, HeaderName::from_static("mcp-protocol-version"));
    if let Some(token) = &shared.token {
        parts.headers.insert(AUTHORIZATION, token.clone());
    }
    let request = Request::from_parts(parts, Body::from(body.clone()));
    let response = shared.upstream.forward(request).await;
    if !is_mcp {
        return response;
    }
    let headers = response.headers();
    let answer = Arc::default();
    shared.seen.lock().unwrap().push(Seen {
        revision,
        request: body,
        status: response.status(),
        content_type: text(headers, CONTENT_TYPE),
        length: text(headers, CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        answer: Arc::clone(&answer),
    });
    response.map(|body| {
        // Each chunk is recorded before the client gets it: when a client has its response, the
        // complaints about it are complete.
        Body::new(body.map_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                answer.lock().unwrap().extend_from_slice(data);
            }
            frame
        }))
    })
}

#[cfg(test)]
mod tests;
