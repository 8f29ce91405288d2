use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout};

use crate::limits::Account;

/// How much is read after the last answer, in bytes, and for how long.
const MAX_LINGERING_BYTES: usize = 1024 * 1024;
const LINGERING_TIMEOUT: Duration = Duration::from_secs(1);

/// Set in [`Connection::busy`] once the connection is to be closed.
const CLOSING: usize = 1 << (usize::BITS - 1);

/// One connection: its socket, and what decides whether it may be closed to make room for another.
pub(crate) struct Connection {
    pub(super) socket: TcpStream,
    opened_at: Instant,
    /// How many things are under way that closing would interrupt, and [`CLOSING`].
    busy: AtomicUsize,
    /// When the last of them ended or the last request came, in milliseconds from `opened_at`.
    idle_since: AtomicU64,
    /// Of the first caller on it.
    account: OnceLock<Arc<Account>>,
    close: Notify,
}

impl Connection {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            opened_at: Instant::now(),
            busy: AtomicUsize::new(0),
            idle_since: AtomicU64::new(0),
            account: OnceLock::new(),
            close: Notify::new(),
        }
    }

    /// Notes that a caller has sent a good token on it.
    pub(crate) fn is_of(&self, account: &Arc<Account>) {
        if self.account.get().is_none() && self.account.set(Arc::clone(account)).is_ok() {
            account.connections.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that it is in use: others are closed before it.
    pub(super) fn touch(&self) {
        let open_for = self.opened_at.elapsed().as_millis();
        let open_for = u64::try_from(open_for).unwrap_or(u64::MAX);
        self.idle_since.store(open_for, Ordering::Relaxed);
    }

    /// Keeps it from being closed to make room. `None` if it is being closed: nothing may begin on it
    /// whose answer would be lost.
    pub(crate) fn keep_busy(self: &Arc<Self>) -> Option<Busy> {
        let one_more = |busy: usize| (busy < CLOSING).then_some(busy + 1);
        let busy = self.busy.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        busy.is_ok().then(|| Busy(Arc::clone(self)))
    }

    /// The instant from which on nothing was under way. `None` while something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        if self.busy.load(Ordering::Acquire) > 0 {
            return None;
        }
        let millis = self.idle_since.load(Ordering::Relaxed);
        Some(self.opened_at + Duration::from_millis(millis))
    }

    /// How many connections its caller has; `None` if no good token came on it.
    pub(super) fn connections_of_its_caller(&self) -> Option<usize> {
        self.account.get().map(|account| account.connections.load(Ordering::Relaxed))
    }

    /// Closes the connection if it is idle, and returns whether it was.
    pub(super) fn close_if_idle(&self) -> bool {
        let closing =
            self.busy.compare_exchange(0, CLOSING, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if closing {
            self.close.notify_one();
        }
        closing
    }

    /// Ready when there is something to read, or the end of it (0).
    pub(super) async fn peek(&self) -> io::Result<usize> {
        self.socket.peek(&mut [0]).await
    }

    /// Reads and drops what the client still sends after the last answer, for a moment. A socket that is
    /// closed with unread bytes resets the connection, and the client may lose that answer (RFC 9112
    /// section 9.6). Few connections read at the same time; the others are given that moment to receive it.
    pub(super) async fn linger(&self, reading: &Semaphore) {
        let read = async {
            let _permit = reading.acquire().await;
            let mut left = MAX_LINGERING_BYTES;
            while self.socket.readable().await.is_ok() {
                match self.socket.try_read(&mut [0; 4 * 1024]) {
                    Ok(size) if (1..=left).contains(&size) => left -= size,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    _ => break,
                }
                // There is always more to read of a client that floods.
                yield_now().await;
            }
        };
        // A client that keeps it open is not waited for.
        let _ = timeout(LINGERING_TIMEOUT, read).await;
    }

    /// Ready when it is to be closed.
    pub(super) async fn to_be_closed(&self) {
        self.close.notified().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(account) = self.account.get() {
            account.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Something under way on a connection.
pub(crate) struct Busy(Arc<Connection>);

impl Busy {
    /// Ready when the client has closed its sending side, or all of it.
    pub(crate) async fn closed_by_client(&self) {
        // A byte is a further request, behind which the end cannot be seen.
        if let Ok(1..) = self.0.peek().await {
            pending::<()>().await;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.touch();
        self.0.busy.fetch_sub(1, Ordering::Release);
    }
}
