//! One keep-alive connection of a client, and the answers that come on it.
//!
//! It is our own because a load generator must cost less than what it measures: requests are bytes
//! that were made before, and of an answer only what tells where it ends is parsed. What the answer
//! says is looked at elsewhere, in every answer.

use std::net::SocketAddr;

use httparse::{EMPTY_HEADER, Status};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::failure::{During as _, Failure, Result};

const BUFFER: usize = 64 * 1024;
const MOST_HEADERS: usize = 64;

pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    /// The body, where it came in chunks.
    joined: Vec<u8>,
}

/// A complete answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// A stream of events, and not JSON.
    pub(crate) events: bool,
    pub(crate) body: &'a [u8],
}

/// What the head of an answer says about the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    length: usize,
    status: u16,
    events: bool,
    framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunks,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.during(|| format!("cannot connect to {address}"))?;
        // A request is written at once, so nothing is ever waited for; a server might wait, though.
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(BUFFER), joined: Vec::new() })
    }

    /// Sends a request and waits for the whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let mut head = None;
        loop {
            self.received.reserve(BUFFER / 4);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(Failure::new("the server closed the connection instead of answering"));
            }
            if head.is_none() {
                head = read_head(&self.received)?;
            }
            let Some(head) = head else { continue };
            if let Some(body) = read_body(&self.received[head.length..], head, &mut self.joined)? {
                // The borrow checker does not see that the buffers rest when they are lent out.
                let body = match body {
                    Body::Received(length) => &self.received[head.length..head.length + length],
                    Body::Joined => &self.joined,
                };
                return Ok(Answer { status: head.status, events: head.events, body });
            }
        }
    }
}

/// `None` while it is not complete.
fn read_head(received: &[u8]) -> Result<Option<Head>> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let Status::Complete(length) = response.parse(received)? else { return Ok(None) };
    let (mut framing, mut events) = (None, false);
    for header in &*response.headers {
        if header.name.eq_ignore_ascii_case("content-length") {
            framing = Some(Framing::Length(std::str::from_utf8(header.value)?.parse()?));
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Some(Framing::Chunks);
        } else if header.name.eq_ignore_ascii_case("content-type") {
            events = header.value.starts_with(b"text/event-stream");
        }
    }
    let framing = framing.ok_or_else(|| Failure::new("an answer does not say where it ends"))?;
    Ok(Some(Head { length, status: response.code.unwrap_or_default(), events, framing }))
}

/// Where a complete body is.
enum Body {
    /// Behind the head, so many bytes of it.
    Received(usize),
    Joined,
}

/// `None` while it is not complete. Whoever gets more than one answer for a request is told.
fn read_body(received: &[u8], head: Head, joined: &mut Vec<u8>) -> Result<Option<Body>> {
    let end = match head.framing {
        Framing::Length(length) => length,
        Framing::Chunks => match join(received, joined)? {
            Some(end) => end,
            None => return Ok(None),
        },
    };
    match received.len() {
        length if length < end => Ok(None),
        length if length > end => Err(Failure::new("a server said more than it was asked")),
        _ if head.framing == Framing::Chunks => Ok(Some(Body::Joined)),
        _ => Ok(Some(Body::Received(end))),
    }
}

/// Joins chunks, and says where they end; `None` while there are more to come.
fn join(received: &[u8], joined: &mut Vec<u8>) -> Result<Option<usize>> {
    joined.clear();
    let mut at = 0;
    loop {
        let size = httparse::parse_chunk_size(&received[at..]);
        let size = size.map_err(|_| Failure::new("a chunk of an answer has no size"))?;
        let Status::Complete((length, size)) = size else { return Ok(None) };
        let (begin, size) = (at + length, usize::try_from(size)?);
        let end = begin + size;
        // Each chunk, and the last one too, which is empty, ends with an empty line.
        let Some(chunk) = received.get(begin..end + 2) else { return Ok(None) };
        joined.extend_from_slice(&chunk[..size]);
        at = end + 2;
        if size == 0 {
            return Ok(Some(at));
        }
    }
}
