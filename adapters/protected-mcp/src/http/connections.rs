//! The connections of a server: how many, which of them make room for others, how long headers may take,
//! how slowly a client may read.

mod connection;
mod headers;
mod registry;
mod stream;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::timeout;

pub(crate) use connection::{Busy, Connection};
use registry::Place;
pub(crate) use registry::Registry;
pub use registry::{ConnectionLimit, ConnectionStatistics};
use stream::Stream;

use super::health::{self, HEALTH};
use crate::limits::{Scarce, overload};

/// How long a connection may take to send the headers of its next request, which is also how long an idle
/// one is kept. Longer than the pauses of a client that a person uses.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// The same for a connection that is one too many.
const REJECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// What is read ahead of a request that is not understood yet, and so the size of its headers, in bytes.
/// Tokens have 1 to 2 KiB.
const MAX_HEADER_BYTES: usize = 8 * 1024;

/// How long to wait after a failed accept, which most often means that no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections, which the registry holds, until `stop`; then closes the idle ones and waits for the others. A request on a
/// connection beyond the limit gets 503 with `Retry-After`, and one to `/healthz` its answer.
///
/// This is `axum::serve` with limits on how many connections there are and how slow they may be, which
/// that does not have.
pub(crate) async fn serve<Answering>(
    registry: Arc<Registry>,
    listeners: Vec<TcpListener>,
    answer: impl Fn(Request<Body>, Arc<Connection>) -> Answering + Clone + Send + 'static,
    stop: impl Future<Output = ()>,
) where
    Answering: Future<Output = Response> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    // A client that has said all it wants to say may still listen.
    http.half_close(true).max_buf_size(MAX_HEADER_BYTES);
    let mut rejection = http.clone();
    http.header_read_timeout(HEADER_TIMEOUT);
    rejection.header_read_timeout(REJECTION_TIMEOUT).keep_alive(false);
    let (stopping, stopped) = watch::channel(());
    let mut stop = pin!(stop);
    let mut turn = 0;
    loop {
        let socket = tokio::select! {
            socket = accept(&listeners, &mut turn) => socket,
            () = &mut stop => break,
        };
        let place = registry.admit(socket);
        let connection = Arc::clone(&place.connection);
        if place.is_served {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                connection.touch();
                let answering = answer(request.map(Body::new), Arc::clone(&connection));
                // hyper keeps room for it for as long as the connection is open.
                Box::pin(async { Ok::<_, Infallible>(answering.await) })
            });
            run(http.clone(), HEADER_TIMEOUT, service, place, stopped.clone());
        } else {
            let service = service_fn(|request: Request<Incoming>| async move {
                Ok::<_, Infallible>(reject(&request).await)
            });
            run(rejection.clone(), REJECTION_TIMEOUT, service, place, stopped.clone());
            // It must be answered before it is the oldest of those that are rejected.
            yield_now().await;
        }
    }
    drop((listeners, stopped));
    stopping.send_replace(());
    // Each connection has a receiver.
    stopping.closed().await;
}

/// Drives a connection to its end, then frees its place.
fn run<Answering>(
    http: http1::Builder,
    patience: Duration,
    service: impl Service<
        Request<Incoming>,
        Response = Response,
        Error = Infallible,
        Future = Answering,
    > + Send
    + 'static,
    place: Place,
    stopped: watch::Receiver<()>,
) where
    Answering: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    tokio::spawn(async move {
        let connection = &place.connection;
        let driven = async {
            if drive(http, patience, service, connection, stopped).await {
                connection.linger(place.lingering()).await;
            }
        };
        tokio::select! {
            // Before a further request begins.
            biased;
            () = connection.to_be_closed() => {
                tracing::debug!("an idle connection was closed for another one");
            }
            () = driven => {}
        }
        drop(place);
    });
}

/// Answers the requests of a connection until it ends, or the server stops. Returns whether the client may
/// still have to read an answer.
async fn drive<Answering>(
    http: http1::Builder,
    patience: Duration,
    service: impl Service<
        Request<Incoming>,
        Response = Response,
        Error = Infallible,
        Future = Answering,
    >,
    connection: &Arc<Connection>,
    mut stopped: watch::Receiver<()>,
) -> bool
where
    Answering: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let head = tokio::select! {
        head = timeout(patience, headers::read(connection)) => match head {
            Ok(Ok(head)) if !head.is_empty() => head,
            _ => return false,
        },
        _ = stopped.changed() => return false,
    };
    let io = TokioIo::new(Stream::new(Arc::clone(connection), head));
    let mut answering = pin!(http.serve_connection(io, service));
    let ended = tokio::select! {
        ended = answering.as_mut() => ended,
        _ = stopped.changed() => {
            answering.as_mut().graceful_shutdown();
            answering.await
        }
    };
    let Err(error) = ended else { return true };
    if error.is_parse_too_large() {
        tracing::info!(
            status = 431,
            limit = MAX_HEADER_BYTES,
            "the headers of a request are too large"
        );
    } else {
        tracing::debug!(%error, "a connection ended early");
    }
    error.is_parse()
}

/// The answer on a connection that is one too many.
async fn reject(request: &Request<Incoming>) -> Response {
    if request.method() == Method::GET && request.uri().path() == HEALTH {
        return health::live().await;
    }
    overload(Scarce::Connections).into_response(None)
}

/// Detects a client that has vanished, such as a laptop that fell asleep while it was listening: after a
/// minute of silence, and then as many unanswered probes as the system sends.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new().with_time(Duration::from_mins(1)).with_interval(Duration::from_secs(10))
}

/// The next connection. The listener whose turn it is comes first, so that none waits for another that
/// always has one.
async fn accept(listeners: &[TcpListener], turn: &mut usize) -> TcpStream {
    loop {
        *turn += 1;
        match poll_fn(|context| poll_accept(listeners, *turn, context)).await {
            Ok((stream, _)) => {
                // Answers are small and complete: Nagle's algorithm only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
                }
                if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&keepalive()) {
                    tracing::debug!(%error, "TCP keepalive cannot be set");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn poll_accept(
    listeners: &[TcpListener],
    turn: usize,
    context: &mut Context<'_>,
) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    let in_turn = (0..listeners.len()).map(|index| &listeners[(turn + index) % listeners.len()]);
    let mut accepted = in_turn.map(|listener| listener.poll_accept(context));
    accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
}

#[cfg(test)]
mod tests;
