use std::future::{pending, ready};
use std::net::SocketAddr;

use axum::body::Bytes;
use futures_util::{FutureExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::{Instant, advance, pause};

use crate::limits::Account;

use super::*;

/// Notifies when it is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn limit(served: usize) -> ConnectionLimit {
    ConnectionLimit { served, rejecting: 2 }
}

#[test]
fn as_many_connections_are_served_as_are_wanted_and_have_files() {
    let wanted = |served| ConnectionLimit::new(std::num::NonZeroUsize::new(served).unwrap());
    for (served, files, expected) in [
        (20_000, 100_000, (20_000, 256)),
        (20_000, 10_000, (9_744, 256)),
        (20_000, 1_000, (875, 125)),
        (3, 100_000, (3, 256)),
        (3, 1, (1, 1)),
    ] {
        let limit = wanted(served).within_open_files(files);
        assert_eq!((limit.served, limit.rejecting), expected, "{served} of {files} files");
    }
    assert_eq!(ConnectionLimit::for_open_files(100_000), ConnectionLimit::default());
}

/// Starts a server on a free port.
async fn start<Answering>(
    served: usize,
    answer: impl Fn(Request<Body>, Arc<Connection>) -> Answering + Clone + Send + 'static,
) -> SocketAddr
where
    Answering: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(Arc::new(Registry::new(limit(served))), vec![listener], answer, pending()));
    address
}

/// A server for one connection whose answers never end, and a notification for when one of them was
/// abandoned.
async fn endless() -> (SocketAddr, Arc<Notify>) {
    let abandoned = Arc::new(Notify::new());
    let notify = Arc::clone(&abandoned);
    let answer = move |_, connection: Arc<Connection>| {
        let kept = (connection.keep_busy(), Dropped(Arc::clone(&notify)));
        let chunks = stream::repeat_with(move || {
            let _until_this_is_dropped = &kept;
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
        });
        ready(Response::new(Body::from_stream(chunks)))
    };
    (start(1, answer).await, abandoned)
}

/// A server that answers "ok".
async fn ok(served: usize) -> SocketAddr {
    start(served, |_, _| ready(Response::new(Body::from("ok")))).await
}

async fn request(address: SocketAddr) -> TcpStream {
    request_for(address, "/").await
}

async fn request_for(address: SocketAddr, path: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.unwrap();
    client
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())
        .await
        .unwrap();
    client
}

/// Reads the head of an answer.
async fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_client_that_reads_nothing_loses_its_connection() {
    let (address, abandoned) = endless().await;
    let _client = request(address).await;
    // From here on the clock jumps to the next timer, which is the end of the patience.
    pause();
    let began = Instant::now();
    abandoned.notified().await;
    assert!((29..=31).contains(&began.elapsed().as_secs()));
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
    let rejected = head(&mut request(address).await).await;
    assert!(rejected.starts_with("HTTP/1.1 503 "), "{rejected}");
    assert!(rejected.contains("retry-after: 1\r\n"), "{rejected}");
    drop(first);
    abandoned.notified().await;
    // The answer is dropped a moment before the place is free.
    while !head(&mut request(address).await).await.starts_with("HTTP/1.1 200") {}
}

#[tokio::test]
async fn the_probe_of_life_is_answered_when_every_connection_is_busy() {
    let (address, _) = endless().await;
    let mut first = request(address).await;
    first.read_exact(&mut [0; 1024]).await.unwrap();
    // Two that never send anything take the places for those who are one too many.
    let _silent = (TcpStream::connect(address).await, TcpStream::connect(address).await);
    let alive = head(&mut request_for(address, "/healthz").await).await;
    assert!(alive.starts_with("HTTP/1.1 200 "), "{alive}");
}

#[tokio::test]
async fn idle_connections_make_room_for_new_ones_the_oldest_first() {
    let address = ok(3).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = request(address).await;
        assert!(head(&mut client).await.starts_with("HTTP/1.1 200"));
        clients.push(client);
    }
    for _ in 0..10 {
        let mut client = request(address).await;
        assert!(head(&mut client).await.starts_with("HTTP/1.1 200"));
        let mut oldest = clients.remove(0);
        let mut rest = Vec::new();
        // Closed by the server: there is no more than the end of the answer.
        oldest.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"ok");
        clients.push(client);
    }
}

#[tokio::test]
async fn unfinished_headers_make_room_too() {
    let address = ok(1).await;
    let mut unfinished = TcpStream::connect(address).await.unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
    assert!(head(&mut request(address).await).await.starts_with("HTTP/1.1 200"));
    // The end, or a reset because of what was sent.
    assert!(matches!(unfinished.read(&mut [0; 8]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_every_answer() {
    let address = ok(1).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    client.write_all(request.repeat(3).as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let mut answers = String::new();
    client.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
}

#[tokio::test]
async fn requests_in_pieces_of_any_size_are_answered() {
    let echo = |request: Request<Body>, _| async { Response::new(Body::new(request.into_body())) };
    let address = start(1, echo).await;
    let one = format!("POST / HTTP/1.1\r\nhost: h\r\nx: {}\r\n", "x".repeat(3_000));
    let requests = format!(
        "{one}content-length: 5\r\n\r\nfirst{one}transfer-encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
    );
    for size in [1, 7, 1_024, 3_050, requests.len()] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.set_nodelay(true).unwrap();
        let mut answers = String::new();
        let (mut reading, mut writing) = client.split();
        let write = async {
            for piece in requests.as_bytes().chunks(size) {
                writing.write_all(piece).await.unwrap();
                yield_now().await;
            }
            writing.shutdown().await.unwrap();
        };
        let ((), read) = tokio::join!(write, reading.read_to_string(&mut answers));
        read.unwrap();
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{size}: {answers}");
        assert!(answers.contains("first") && answers.ends_with("0\r\n\r\n"), "{size}: {answers}");
    }
}

#[tokio::test]
async fn no_listener_waits_for_another_that_always_has_connections() {
    let bound = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listeners = [bound().await, bound().await];
    let addresses = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    let mut clients = Vec::new();
    for address in addresses.iter().flat_map(|address| [address; 4]) {
        clients.push(TcpStream::connect(address).await.unwrap());
    }
    let mut turn = 0;
    let mut accepted = Vec::new();
    for _ in 0..4 {
        accepted.push(accept(&listeners, &mut turn).await.local_addr().unwrap());
    }
    for address in addresses {
        assert_eq!(accepted.iter().filter(|it| **it == address).count(), 2, "{accepted:?}");
    }
}

#[tokio::test]
async fn headers_have_at_most_8_kibibytes() {
    let address = ok(1).await;
    let status = async |size: usize| {
        let mut client = TcpStream::connect(address).await.unwrap();
        let filler = "x".repeat(size - "GET / HTTP/1.1\r\nhost: h\r\nx: \r\n\r\n".len());
        let request = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {filler}\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        head(&mut client).await[..12].to_owned()
    };
    assert_eq!(status(MAX_HEADER_BYTES - 1).await, "HTTP/1.1 200");
    assert_eq!(status(MAX_HEADER_BYTES + 1).await, "HTTP/1.1 431");
}

#[tokio::test]
async fn a_refusal_reaches_a_client_that_has_more_to_send() {
    // More than one buffer of headers; more of a body than is read before a connection is rejected.
    let headers = format!("GET / HTTP/1.1\r\nhost: h\r\nx: {}", "x".repeat(500_000));
    let body = format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 500000\r\n\r\n{headers}");
    let (endless, _) = endless().await;
    let mut busy = request(endless).await;
    busy.read_exact(&mut [0; 1024]).await.unwrap();
    for (address, text, status) in [(ok(1).await, headers, "431"), (endless, body, "503")] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(text.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer[9..12]), status);
    }
}

/// The other side of a connection that a server has accepted.
async fn accepted(registry: &Arc<Registry>, listener: &TcpListener) -> (Place, TcpStream) {
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (registry.admit(listener.accept().await.unwrap().0), client)
}

#[tokio::test]
async fn those_without_a_token_go_first_then_those_of_callers_with_many() {
    // A share is a sixteenth of them: two.
    let registry = Arc::new(Registry::new(limit(32)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (calm, greedy) = (Arc::new(Account::default()), Arc::new(Account::default()));
    let mut open = Vec::new();
    for number in 0..32 {
        let (place, client) = accepted(&registry, &listener).await;
        match number {
            0 | 20 => place.connection.is_of(&calm),
            1 | 10 | 30 => place.connection.is_of(&greedy),
            _ => {}
        }
        open.push((place, client));
    }
    let _busy = open[10].0.connection.keep_busy();
    let mut order = Vec::new();
    let mut newer = Vec::new();
    for _ in 0..31 {
        let (place, client) = accepted(&registry, &listener).await;
        assert!(place.is_served);
        newer.push((place.connection.keep_busy(), place, client));
        let closed = |(place, _): &(Place, TcpStream)| {
            place.connection.to_be_closed().now_or_never().is_some()
        };
        order.extend(open.iter().position(closed));
    }
    let without_a_token = (2..32).filter(|number| ![10, 20, 30].contains(number));
    assert_eq!(order, without_a_token.chain([1, 30, 0, 20]).collect::<Vec<_>>());
    let (place, _client) = accepted(&registry, &listener).await;
    assert!(!place.is_served, "all others are busy");
}

#[tokio::test]
async fn a_connection_in_use_makes_room_after_those_that_are_not() {
    pause();
    let registry = Arc::new(Registry::new(limit(3)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = [
        accepted(&registry, &listener).await,
        accepted(&registry, &listener).await,
        accepted(&registry, &listener).await,
    ];
    for (place, _) in &open[..2] {
        advance(Duration::from_millis(1)).await;
        place.connection.touch();
    }
    for closed in [2, 0, 1] {
        let (newer, _client) = accepted(&registry, &listener).await;
        std::mem::forget(newer.connection.keep_busy());
        std::mem::forget(newer);
        let (place, _) = &open[closed];
        assert!(place.connection.to_be_closed().now_or_never().is_some(), "{closed}");
        assert!(place.connection.keep_busy().is_none(), "nothing begins on it any more");
    }
}
