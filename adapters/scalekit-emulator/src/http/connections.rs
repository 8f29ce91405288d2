//! The connections of the environment: few, so that a flood of them leaves the program's open files to the
//! server beside it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::ready;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::LARGEST_BODY;

const MOST_CONNECTIONS: usize = 64;

/// How many connections may be open beyond those: the ones that are being closed or rejected. The next one
/// waits until one of them has ended, which takes [`REJECTION_TIMEOUT`] at most.
const MOST_ENDING: usize = 16;

/// How long a connection may take to send the headers of its next request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// The same for a connection whose request is rejected.
const REJECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait after a failed accept, which most often means that no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves connections until `stop`, then closes those without a complete request and waits for the others.
///
/// One connection too many takes the place of the connection that has waited longest for a complete
/// request. If all of them have one, it gets 503 with `Retry-After`.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_at_most(MOST_CONNECTIONS, listener, router, stop).await;
}

async fn serve_at_most(
    most: usize,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Places::default());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accept(&listener), if connections.len() < most + MOST_ENDING => stream,
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        match places.take(most) {
            Some(place) => connections.spawn(keep(stream, router.clone(), place)),
            None => connections.spawn(reject(stream)),
        };
    }
    drop(listener);
    places.close();
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Responses are small and complete: Nagle's algorithm only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
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

/// Serves a connection until it ends or another one takes its place.
async fn keep(stream: TcpStream, router: Router, place: Place) {
    let taken = Arc::clone(&place.taken);
    let place = Arc::new(place);
    let service = service_fn(move |request| {
        let (router, place) = (router.clone(), Arc::clone(&place));
        async move { Ok::<_, Infallible>(respond(router, request, &place).await) }
    });
    let connection = http(HEADER_TIMEOUT).serve_connection(TokioIo::new(stream), service);
    // The place is free only between two polls of the connection, when a response has been written.
    tokio::select! {
        biased;
        ended = connection => log(ended),
        () = taken.notified() => tracing::debug!("a connection without a request was closed"),
    }
}

/// Reads the request to its end, so that a body that never ends does not keep its place.
async fn respond(router: Router, request: Request<Incoming>, place: &Place) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::to_bytes(Body::new(body), LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    place.hold();
    let request = Request::from_parts(head, Body::from(body));
    let response = TowerToHyperService::new(router).call(request).await;
    place.release();
    response.unwrap_or_else(|never| match never {})
}

async fn reject(stream: TcpStream) {
    let service = service_fn(|_| {
        let text = "The local Scalekit has too many connections. Try again in a second.\n";
        let headers = [(header::RETRY_AFTER, "1"), (header::CONNECTION, "close")];
        let response = (StatusCode::SERVICE_UNAVAILABLE, headers, text).into_response();
        ready(Ok::<_, Infallible>(response))
    });
    log(http(REJECTION_TIMEOUT).serve_connection(TokioIo::new(stream), service).await);
}

fn http(header_timeout: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    http
}

fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The places of connections. A place is held while a complete request is answered, and otherwise free for
/// another connection to take.
#[derive(Default)]
struct Places(Mutex<State>);

#[derive(Default)]
struct State {
    /// By id.
    connections: BTreeMap<u64, Connection>,
    next: u64,
    is_closed: bool,
}

struct Connection {
    /// The order in which connections began to wait. `None` while the place is held.
    waiting_since: Option<u64>,
    taken: Arc<Notify>,
}

/// A connection's place, free until it is held.
struct Place {
    id: u64,
    /// Notified when the place is no longer this connection's.
    taken: Arc<Notify>,
    places: Arc<Places>,
}

impl Places {
    /// A place among `most`, taken from the connection that waits longest if there is no other. `None` if
    /// all of them are held.
    fn take(self: &Arc<Self>, most: usize) -> Option<Place> {
        let mut state = self.lock();
        if state.connections.len() >= most {
            let waiting = state.connections.iter();
            let waiting = waiting.filter_map(|(id, it)| Some((it.waiting_since?, *id)));
            let (_, longest) = waiting.min()?;
            state.connections.remove(&longest)?.taken.notify_one();
        }
        let id = state.count();
        let taken = Arc::new(Notify::new());
        let connection = Connection { waiting_since: Some(id), taken: Arc::clone(&taken) };
        state.connections.insert(id, connection);
        Some(Place { id, taken, places: Arc::clone(self) })
    }

    /// Ends every connection once its place is free.
    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        for connection in state.connections.values().filter(|it| it.waiting_since.is_some()) {
            connection.taken.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl Place {
    fn hold(&self) {
        if let Some(connection) = self.places.lock().connections.get_mut(&self.id) {
            connection.waiting_since = None;
        }
    }

    fn release(&self) {
        let mut state = self.places.lock();
        let since = state.count();
        let is_closed = state.is_closed;
        if let Some(connection) = state.connections.get_mut(&self.id) {
            connection.waiting_since = Some(since);
            if is_closed {
                connection.taken.notify_one();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().connections.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
