//! The connections of the MCP endpoint.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
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
use todo_adapter_mcp::overloaded;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;

/// How long a connection may take to send the headers of its next request: also how long an idle one
/// is kept. Longer than the pauses of a client that is used by hand, and short enough that nobody
/// holds connections for nothing.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may take none of what is ready for it. A stream of events is quiet for longer,
/// but then nothing waits to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How many connections are kept. Each takes some 20 KB, and an idle one nothing else.
pub(super) const MOST_CONNECTIONS: usize = 10_000;

/// How long a connection beyond that may take to send the headers of its request, which is refused.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// How long to wait when no connection can be accepted, which most often means that there are too
/// many already.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves connections until `stop`; then ends the idle ones and waits for the others. A connection
/// beyond the `most` that are kept is told to come back later, and ended.
///
/// It does what `axum::serve` does, which offers no limit on how long headers may take.
pub(super) async fn serve<Answering>(
    listener: TcpListener,
    most: usize,
    answer: impl Fn(Request<Body>) -> Answering + Clone + Send + 'static,
    stop: impl Future<Output = ()>,
) where
    Answering: Future<Output = Response> + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut refusal = http.clone();
    refusal.header_read_timeout(REFUSAL_TIMEOUT).keep_alive(false);
    let room = Arc::new(Semaphore::new(most));
    let in_flight = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accept(&listener) => stream,
            () = &mut stop => break,
        };
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let io = TokioIo::new(Box::pin(stream));
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            let refuse = service_fn(|_| ready(Ok::<_, Infallible>(overloaded())));
            run(in_flight.watch(refusal.serve_connection(io, refuse)), None);
            continue;
        };
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answering = answer(request.map(Body::new));
            async { Ok::<_, Infallible>(answering.await) }
        });
        run(in_flight.watch(http.serve_connection(io, service)), Some(place));
    }
    drop(listener);
    in_flight.shutdown().await;
}

/// Drives a connection to its end, when its place is free again.
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

/// Notices a client that has vanished without a word, as a laptop does that falls asleep while it
/// listens: after a minute, and six questions without an answer.
fn keepalive() -> TcpKeepalive {
    TcpKeepalive::new().with_time(Duration::from_mins(1)).with_interval(Duration::from_secs(10))
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and complete: waiting to fill a packet (Nagle) only delays them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY cannot be set");
                }
                if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&keepalive()) {
                    tracing::debug!(%error, "TCP keepalive cannot be set");
                }
                return stream;
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;
    use tokio::time::{Instant, pause};

    use super::*;

    /// Says when it is dropped.
    struct Dropped(Arc<Notify>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    /// A server whose answers never end, and what tells when one of them was given up.
    async fn endless() -> (std::net::SocketAddr, Arc<Notify>) {
        let given_up = Arc::new(Notify::new());
        let told = Arc::clone(&given_up);
        let answer = move |_| {
            let dropped = Dropped(Arc::clone(&told));
            let chunks = stream::repeat_with(move || {
                let _until_this_is_dropped = &dropped;
                Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
            });
            std::future::ready(Response::new(Body::from_stream(chunks)))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, 1, answer, std::future::pending()));
        (address, given_up)
    }

    async fn asked(address: std::net::SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        client
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_loses_its_connection() {
        let (address, given_up) = endless().await;
        let _client = asked(address).await;
        // From here on the clock jumps to what is waited for: nothing but the end of patience.
        pause();
        let began = Instant::now();
        given_up.notified().await;
        let seconds = began.elapsed().as_secs();
        assert!((WRITE_TIMEOUT.as_secs() - 1..=WRITE_TIMEOUT.as_secs() + 1).contains(&seconds));
    }

    #[tokio::test]
    async fn a_client_that_goes_away_ends_its_answer() {
        let (address, given_up) = endless().await;
        let mut client = asked(address).await;
        client.read_exact(&mut [0; 1024]).await.unwrap();
        drop(client);
        given_up.notified().await;
    }

    #[tokio::test]
    async fn who_finds_no_place_is_told_to_come_back_until_one_is_free() {
        let (address, given_up) = endless().await;
        let mut first = asked(address).await;
        first.read_exact(&mut [0; 1024]).await.unwrap();
        let mut refused = String::new();
        asked(address).await.read_to_string(&mut refused).await.unwrap();
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
        drop(first);
        given_up.notified().await;
        // The answer is given up a moment before the place is.
        let mut answered = [0; 12];
        while answered != *b"HTTP/1.1 200" {
            asked(address).await.read_exact(&mut answered).await.unwrap();
        }
    }
}
