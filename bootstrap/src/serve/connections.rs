//! The connections of the MCP endpoint.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;

/// How long a connection may take to send the headers of its next request: also how long an idle one
/// is kept. Longer than the pauses of a client that is used by hand, and short enough that nobody
/// holds connections for nothing.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// How long a client may take none of what is ready for it. A stream of events is quiet for longer,
/// but then nothing waits to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long to wait when no connection can be accepted, which most often means that there are too
/// many already.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves every connection until `stop`; then ends the idle ones and waits for the others.
///
/// It does what `axum::serve` does, which offers no limit on how long headers may take.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let in_flight = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            stream = accept(&listener) => stream,
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(router.clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let io = TokioIo::new(Box::pin(stream));
        let connection = in_flight.watch(http.serve_connection(io, service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    in_flight.shutdown().await;
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
