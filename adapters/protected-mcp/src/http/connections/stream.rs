use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::{Busy, Connection};

/// How long a client may leave unread what there is to read, all in all, and how many bytes it must read
/// to make up for a second of that. A stream of events may be silent for longer, but then nothing waits to
/// be written.
const PATIENCE: Duration = Duration::from_secs(30);
const LEAST_BYTES_PER_SECOND: u32 = 16 * 1024;

/// The bytes of a connection. Writing fails with `TimedOut` for a client that reads too slowly.
pub(super) struct Stream {
    connection: Arc<Connection>,
    /// What has been read already.
    head: Bytes,
    patience: Patience,
    blocked: Option<Blocked>,
}

/// For how much longer a client may keep the server waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Patience(Duration);

impl Patience {
    const FULL: Self = Self(PATIENCE);

    fn waited(&mut self, wait: Duration) {
        self.0 = self.0.saturating_sub(wait);
    }

    fn written(&mut self, bytes: usize) {
        if *self != Self::FULL {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let earned = Duration::from_secs(1) * bytes / LEAST_BYTES_PER_SECOND;
            self.0 = PATIENCE.min(self.0 + earned);
        }
    }
}

/// A write that waits for the client.
struct Blocked {
    since: Instant,
    out_of_patience: Pin<Box<Sleep>>,
    /// A connection is not closed while an answer is on its way.
    _busy: Option<Busy>,
}

impl Stream {
    /// The bytes of a connection on which `head` has been read.
    pub(super) fn new(connection: Arc<Connection>, head: Vec<u8>) -> Self {
        Self { connection, head: head.into(), patience: Patience::FULL, blocked: None }
    }

    fn poll_write_with(
        &mut self,
        context: &mut Context<'_>,
        write: impl Fn(&Connection) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        while self.connection.socket.poll_write_ready(context)?.is_ready() {
            match write(&self.connection) {
                Ok(written) => {
                    self.written(written);
                    return Poll::Ready(Ok(written));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let Self { connection, head: _, patience, blocked } = self;
        let blocked = blocked.get_or_insert_with(|| Blocked {
            since: Instant::now(),
            out_of_patience: Box::pin(sleep(patience.0)),
            _busy: connection.keep_busy(),
        });
        ready!(blocked.out_of_patience.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads too slowly")))
    }

    fn written(&mut self, bytes: usize) {
        if let Some(blocked) = self.blocked.take() {
            self.patience.waited(blocked.since.elapsed());
        }
        self.patience.written(bytes);
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.head.is_empty() {
            let size = self.head.len().min(buffer.remaining());
            buffer.put_slice(&self.head.split_to(size));
            if self.head.is_empty() {
                // Frees the memory.
                self.head = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        let socket = &self.connection.socket;
        loop {
            ready!(socket.poll_read_ready(context))?;
            match socket.try_read_buf(buffer) {
                Ok(_) => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(context, |connection| connection.socket.try_write(buffer))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(context, |connection| connection.socket.try_write_vectored(buffers))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// A socket has nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&self.connection.socket).shutdown(Shutdown::Write) {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_lasts_for_a_client_that_reads_and_not_for_one_that_trickles() {
        let reads = |bytes: usize| {
            let mut patience = Patience::FULL;
            (0..1_000).all(|_| {
                patience.waited(Duration::from_secs(10));
                let is_left = patience.0 > Duration::ZERO;
                patience.written(bytes);
                is_left
            })
        };
        assert!(reads(10 * 16 * 1024));
        assert!(!reads(1));
        assert!(!reads(9 * 16 * 1024));
        let mut patience = Patience::FULL;
        patience.written(usize::MAX);
        assert_eq!(patience, Patience::FULL);
    }
}
