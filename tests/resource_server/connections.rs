//! What a server owes to a client before it has read its message: on raw connections, so over `http` only.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::target::Target;

/// Far beyond what any server accepts, in pieces of 64 KiB.
const PIECES: usize = 1_024;

/// Longer than an answer takes. Reached only when there is none.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many connections without a request are open beside one with a request.
const IDLE: usize = 100;

/// Where requests go to, and the request that is sent.
struct Request {
    host: String,
    path: String,
    token: String,
    body: String,
}

impl Request {
    fn to(target: &Target) -> Self {
        let url = target.endpoint.strip_prefix("http://").unwrap();
        let (host, path) = url.split_at(url.find('/').unwrap());
        let params = json!({ "name": target.read.tool, "arguments": target.read.arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        Self {
            host: host.to_owned(),
            path: path.to_owned(),
            token: target.token(&target.claims()),
            body: body.to_string(),
        }
    }

    /// The headers but for how the body is framed, and the end.
    fn head(&self) -> String {
        let Self { host, path, token, .. } = self;
        format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
        )
    }

    fn whole(&self) -> String {
        let Self { body, .. } = self;
        format!("{}content-length: {}\r\n\r\n{body}", self.head(), body.len())
    }

    async fn send(&self, text: &str) -> Result<TcpStream, String> {
        let connected = timeout(PATIENCE, TcpStream::connect(&self.host)).await;
        let mut client =
            connected.map_err(|_| "no connection")?.map_err(|error| error.to_string())?;
        client.write_all(text.as_bytes()).await.map_err(|error| error.to_string())?;
        Ok(client)
    }

    /// Sends `start`, and then a piece after the other until there is an answer. Returns its status, or
    /// `None` if the connection was closed without one.
    async fn send_without_end(&self, start: &str, piece: &str) -> Result<Option<u16>, String> {
        let (mut read, mut write) = self.send(start).await?.into_split();
        let pieces = async {
            for _ in 0..PIECES {
                if write.write_all(piece.as_bytes()).await.is_err() {
                    return std::future::pending().await;
                }
            }
        };
        tokio::select! {
            biased;
            answered = status(&mut read) => Ok(answered.ok()),
            () = pieces => Err(format!("{PIECES} pieces of {} bytes were read", piece.len())),
        }
    }
}

/// The status of the next answer.
async fn status(client: &mut (impl AsyncRead + Unpin)) -> Result<u16, String> {
    let mut line = [0; 12];
    let read = timeout(PATIENCE, client.read_exact(&mut line)).await;
    read.map_err(|_| "no answer")?.map_err(|error| format!("no answer: {error}"))?;
    let status = str::from_utf8(&line[9..]).ok().and_then(|status| status.parse().ok());
    status.ok_or_else(|| format!("no status: {line:?}"))
}

fn expect(what: &str, found: impl Into<Option<u16>>, expected: &[u16]) -> Result<(), String> {
    match found.into() {
        Some(status) if !expected.contains(&status) => Err(format!("{what}: {status}")),
        _ => Ok(()),
    }
}

async fn asks_for_no_body_without_a_token(request: &Request) -> Result<(), String> {
    for (what, token) in [("no token", ""), ("a bad token", "authorization: Bearer x\r\n")] {
        let Request { host, path, .. } = request;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\n{token}content-type: application/json\r\n\
             content-length: 100\r\nexpect: 100-continue\r\n\r\n"
        );
        expect(what, status(&mut request.send(&head).await?).await?, &[401])?;
    }
    Ok(())
}

async fn answers_a_half_closed_connection(request: &Request) -> Result<(), String> {
    let mut client = request.send(&request.whole()).await?;
    client.shutdown().await.unwrap();
    expect("half-closed", status(&mut client).await?, &[200])
}

async fn refuses_a_body_without_end(request: &Request) -> Result<(), String> {
    let spaces = " ".repeat(64 * 1024);
    let chunk = format!("10000\r\n{spaces}\r\n");
    for (framing, piece) in
        [("content-length: 99999999", &spaces), ("transfer-encoding: chunked", &chunk)]
    {
        let start = format!("{}{framing}\r\n\r\n", request.head());
        let answered = request.send_without_end(&start, piece).await?;
        expect(framing, answered, &[413])?;
    }
    Ok(())
}

async fn refuses_headers_without_end(request: &Request) -> Result<(), String> {
    let one = "x".repeat(64 * 1024);
    let many = "x-filler: 0123456789\r\n".repeat(3_000);
    for (what, start, piece) in [("one header", "x-filler: ", one), ("many headers", "", many)] {
        let start = format!("{}{start}", request.head());
        expect(what, request.send_without_end(&start, &piece).await?, &[431])?;
    }
    Ok(())
}

async fn serves_beside_idle_connections(request: &Request) -> Result<(), String> {
    let mut idle = Vec::new();
    for number in 0..IDLE {
        let head = request.head();
        idle.push(request.send(if number % 2 == 0 { "" } else { &head }).await?);
    }
    expect("beside idle ones", status(&mut request.send(&request.whole()).await?).await?, &[200])
}

/// RFC 9110 section 10.1.1: a server that refuses by the headers alone sends the final status, and does not
/// ask for the body.
#[tokio::test]
async fn no_body_is_asked_for_before_the_token_is_good() {
    let request = Request::to(&Target::new().await);
    asks_for_no_body_without_a_token(&request).await.unwrap();
}

/// RFC 9112 section 9.6, RFC 9293 section 3.6: who has sent all can still receive.
#[tokio::test]
async fn a_client_that_closes_its_sending_side_gets_its_answer() {
    let request = Request::to(&Target::new().await);
    answers_a_half_closed_connection(&request).await.unwrap();
}

/// RFC 9110 section 15.5.14: a body that is too large is refused with 413, or the connection is closed.
#[tokio::test]
async fn a_body_without_end_is_refused() {
    let request = Request::to(&Target::new().await);
    refuses_a_body_without_end(&request).await.unwrap();
}

/// RFC 6585 section 5: so are headers, with 431.
#[tokio::test]
async fn headers_without_end_are_refused() {
    let request = Request::to(&Target::new().await);
    refuses_headers_without_end(&request).await.unwrap();
}

/// RFC 9112 section 9.5: a connection on which nothing happens is no reason to keep others waiting.
#[tokio::test]
async fn idle_connections_keep_nobody_out() {
    let request = Request::to(&Target::new().await);
    serves_beside_idle_connections(&request).await.unwrap();
}

/// A server that does all of it wrong: it serves one connection after the other, reads headers and bodies of
/// any size, asks for each body, and forgets a client that has closed its sending side.
async fn careless() -> Request {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let _ = serve_carelessly(client).await;
        }
    });
    let [path, token, body] = ["/mcp", "x", "{}"].map(str::to_owned);
    Request { host, path, token, body }
}

async fn serve_carelessly(mut client: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut asked = false;
    loop {
        let size = client.read(&mut buffer).await?;
        if size == 0 {
            return Ok(());
        }
        if !asked && String::from_utf8_lossy(&buffer[..size]).contains("\r\n\r\n") {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            asked = true;
        }
    }
}

/// Each rule can be broken.
#[tokio::test(start_paused = true)]
async fn a_careless_server_breaks_every_rule() {
    let request = careless().await;
    let broken = asks_for_no_body_without_a_token(&request).await;
    assert_eq!(broken, Err("no token: 100".to_owned()));
    assert!(answers_a_half_closed_connection(&request).await.is_err());
    assert!(refuses_a_body_without_end(&request).await.is_err());
    assert!(refuses_headers_without_end(&request).await.is_err());
    assert!(serves_beside_idle_connections(&request).await.is_err());
}
