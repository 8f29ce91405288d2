use std::net::SocketAddr;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, pause};

use super::*;

/// A server with places for `MOST` connections, whose `/slow` responds once it may.
struct World {
    address: SocketAddr,
    /// Notified when a request to `/slow` is at work.
    at_work: Arc<Notify>,
    may_respond: Arc<Notify>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

const MOST: usize = 2;

impl World {
    async fn new() -> Self {
        let [at_work, may_respond] = [(); 2].map(|()| Arc::new(Notify::new()));
        let (began, go) = (Arc::clone(&at_work), Arc::clone(&may_respond));
        let slow = async move || {
            began.notify_one();
            go.notified().await;
            "slow"
        };
        let router = Router::new()
            .route("/", get(async || "root"))
            .route("/echo", post(async |body: String| body))
            .route("/slow", get(slow));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve_at_most(MOST, listener, router, async {
            let _ = stopped.await;
        }));
        Self { address, at_work, may_respond, stop, serving }
    }

    /// A new connection that has sent `text`.
    async fn send(&self, text: &str) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        client.write_all(text.as_bytes()).await.unwrap();
        client
    }

    async fn get(&self, path: &str) -> String {
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        rest_of(self.send(&request).await).await
    }

    /// A connection whose request is at work.
    async fn slow(&self) -> TcpStream {
        let client = self.send("GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        self.at_work.notified().await;
        client
    }
}

/// What arrives until the server closes the connection.
async fn rest_of(mut client: TcpStream) -> String {
    let mut text = String::new();
    // A connection that is closed with unread bytes ends with an error.
    let _ = client.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn the_connection_that_waits_longest_without_a_request_makes_room() {
    let world = World::new().await;
    let silent = world.send("").await;
    let half_a_header = world.send("GET / HTTP/1.1\r\nhost:").await;

    for _ in 0..3 {
        assert!(world.get("/").await.starts_with("HTTP/1.1 200 OK"));
    }

    assert_eq!(rest_of(silent).await, "");
    drop(half_a_header);
}

#[tokio::test]
async fn a_flood_of_connections_that_send_nothing_starves_nobody() {
    let world = World::new().await;
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.push(world.send("").await);
    }

    assert!(world.get("/").await.starts_with("HTTP/1.1 200 OK"));
    for client in flood.drain(..100 - MOST) {
        assert_eq!(rest_of(client).await, "");
    }
}

#[tokio::test]
async fn a_body_that_never_ends_does_not_keep_its_place() {
    let world = World::new().await;
    let head = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n";
    let unfinished = [world.send(head).await, world.send(&format!("{head}half")).await];

    for _ in &unfinished {
        assert!(world.get("/").await.starts_with("HTTP/1.1 200 OK"));
    }
    let finished = world.send(&format!("{head}all of it")).await;
    finished.readable().await.unwrap();
    world.stop.send(()).unwrap();
    assert!(rest_of(finished).await.ends_with("all of it"));
}

#[tokio::test]
async fn when_every_connection_has_a_request_one_more_gets_503_until_one_ends() {
    let world = World::new().await;
    let mut at_work = [world.slow().await, world.slow().await];

    let rejected = world.get("/").await;
    assert!(rejected.starts_with("HTTP/1.1 503 "), "{rejected}");
    assert!(rejected.contains("retry-after: 1\r\n"), "{rejected}");

    world.may_respond.notify_waiters();
    for client in &mut at_work {
        let mut status = [0; 15];
        client.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200 OK");
    }
    assert!(world.get("/").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_connection_may_take_75_seconds_for_its_headers() {
    let world = World::new().await;
    let client = world.send("GET / HTTP/1.1\r\nhost:").await;
    // The answer to another connection shows that the first one was accepted.
    world.get("/").await;
    // From here on the clock jumps to the next timer, which is the header timeout.
    pause();
    let began = Instant::now();
    rest_of(client).await;

    let seconds = began.elapsed().as_secs();
    assert!((74..=76).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn at_the_end_requests_are_finished_and_other_connections_closed() {
    let world = World::new().await;
    let silent = world.send("").await;
    let at_work = world.slow().await;

    world.stop.send(()).unwrap();
    assert_eq!(rest_of(silent).await, "");
    assert!(!world.serving.is_finished());
    world.may_respond.notify_waiters();
    assert!(rest_of(at_work).await.ends_with("slow"));
    world.serving.await.unwrap();
}

#[tokio::test]
async fn a_body_that_exceeds_the_limit_is_rejected() {
    let world = World::new().await;
    let length = LARGEST_BODY + 1;
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    );

    let client = world.send(&format!("{head}{}", "x".repeat(length))).await;

    let mut status = [0; 12];
    let mut client = client;
    client.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
}
