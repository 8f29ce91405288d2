//! The connections of a server: how many, how long headers may take, how slowly a client may read.

use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

use super::limits::overloaded;

/// How long a connection may take to send the headers of its next request, which is also how long an idle
/// one is kept. Longer than the pauses of a client that a person uses.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may read nothing while there is something to read. A stream of events may be silent
/// for longer, but then nothing waits to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most connections that a server keeps; one more gets 503. Each takes some 20 KB.
pub const MAX_CONNECTIONS: usize = 10_000;

/// How long a connection beyond that may take to send the headers of its request, which is rejected.
const REJECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait after a failed accept, which most often means that no file descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves connections until `stop`; then closes the idle ones and waits for the others. A request on a
/// connection beyond the limit gets 503 with `Retry-After`.
///
/// This is `axum::serve` with limits on how long headers and reading may take, which that does not have.
pub(crate) async fn serve<Answering>(
    listeners: Vec<TcpListener>,
    answer: impl Fn(Request<Body>) -> Answering + Clone + Send + 'static,
    stop: impl Future<Output = ()>,
) where
    Answering: Future<Output = Response> + Send + 'static,
{
    serve_at_most(MAX_CONNECTIONS, listeners, answer, stop).await;
}

async fn serve_at_most<Answering>(
    most: usize,
    listeners: Vec<TcpListener>,
    answer: impl Fn(Request<Body>) -> Answering + Clone + Send + 'static,
    stop: impl Future<Output = ()>,
) where
    Answering: Future<Output = Response> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut rejection = http.clone();
    rejection.header_read_timeout(REJECTION_TIMEOUT).keep_alive(false);
    let room = Arc::new(Semaphore::new(most));
    let in_flight = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accept(&listeners) => stream,
            () = &mut stop => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let io = TokioIo::new(Box::pin(stream));
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            let reject = service_fn(|_| ready(Ok::<_, Infallible>(overloaded())));
            run(in_flight.watch(rejection.serve_connection(io, reject)), None);
            continue;
        };
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answering = answer(request.map(Body::new));
            async { Ok::<_, Infallible>(answering.await) }
        });
        run(in_flight.watch(http.serve_connection(io, service)), Some(place));
    }
    drop(listeners);
    in_flight.shutdown().await;
}

/// Drives a connection to its end, then frees its place.
fn run(
    connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
    place: Option<OwnedSemaphorePermit>,
) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(place);
    });
}

/// Detects a client that has vanished, such as a laptop that fell asleep while it was listening: after a
/// minute of silence, and then as many unanswered probes as the system sends.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new().with_time(Duration::from_mins(1)).with_interval(Duration::from_secs(10))
}

async fn accept(listeners: &[TcpListener]) -> TcpStream {
    loop {
        match poll_fn(|context| poll_accept(listeners, context)).await {
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

/// The next connection of the first listener that has one.
fn poll_accept(
    listeners: &[TcpListener],
    context: &mut Context<'_>,
) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    let mut accepted = listeners.iter().map(|listener| listener.poll_accept(context));
    accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;
    use tokio::time::{Instant, pause};

    use super::*;

    /// Notifies when it is dropped.
    struct Dropped(Arc<Notify>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    /// A server whose answers never end, and a notification for when one of them was abandoned.
    async fn endless() -> (SocketAddr, Arc<Notify>) {
        let abandoned = Arc::new(Notify::new());
        let notify = Arc::clone(&abandoned);
        let answer = move |_| {
            let dropped = Dropped(Arc::clone(&notify));
            let chunks = stream::repeat_with(move || {
                let _until_this_is_dropped = &dropped;
                Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
            });
            std::future::ready(Response::new(Body::from_stream(chunks)))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve_at_most(1, vec![listener], answer, std::future::pending()));
        (address, abandoned)
    }

    async fn request(address: SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        client
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_loses_its_connection() {
        let (address, abandoned) = endless().await;
        let _client = request(address).await;
        // From here on the clock jumps to the next timer, which is the write timeout.
        pause();
        let began = Instant::now();
        abandoned.notified().await;
        let seconds = began.elapsed().as_secs();
        assert!((WRITE_TIMEOUT.as_secs() - 1..=WRITE_TIMEOUT.as_secs() + 1).contains(&seconds));
    }

    #[tokio::test]
    async fn a_client_that_goes_away_ends_its_answer() {
        let (address, abandoned) = endless().await;
        let mut client = request(address).await;
        client.read_exact(&mut [0; 1024]).await.unwrap();
        drop(client);
        abandoned.notified().await;
    }

    #[tokio::test]
    async fn a_connection_beyond_the_limit_gets_503_until_another_ends() {
        let (address, abandoned) = endless().await;
        let mut first = request(address).await;
        first.read_exact(&mut [0; 1024]).await.unwrap();
        let mut rejected = String::new();
        request(address).await.read_to_string(&mut rejected).await.unwrap();
        assert!(rejected.starts_with("HTTP/1.1 503 "), "{rejected}");
        assert!(rejected.contains("retry-after: 1\r\n"), "{rejected}");
        drop(first);
        abandoned.notified().await;
        // The answer is dropped a moment before the place is free.
        let mut answered = [0; 12];
        while answered != *b"HTTP/1.1 200" {
            request(address).await.read_exact(&mut answered).await.unwrap();
        }
    }
}
