//! Waiting for a connection of one's own while the server accepts no more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{Object, Pool, PoolError, TimeoutType};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::connector::{ConnectError, Connector};
use super::database_error::is_full;

/// For how long after a refusal no further connection is tried, so that a server that is full is not
/// also busy with refusing.
const NO_ATTEMPT: Duration = Duration::from_secs(1);

/// The pool would fail a request for which it cannot make a connection, although one is returned soon.
pub(super) struct Vacancy {
    /// How long to wait.
    limit: Duration,
    created: Instant,
    /// In milliseconds after `created`: until when the server counts as full.
    full_until: AtomicU64,
    /// Notified when a connection is returned.
    returned: Notify,
}

impl Vacancy {
    pub(super) fn new(limit: Duration) -> Self {
        let (created, full_until) = (Instant::now(), AtomicU64::default());
        Self { limit, created, full_until, returned: Notify::new() }
    }

    /// A connection of the pool. While the server accepts no more and the pool has any, one of them is
    /// waited for.
    pub(super) async fn get(
        &self,
        pool: &Pool<Connector>,
    ) -> Result<Object<Connector>, PoolError<ConnectError>> {
        let deadline = Instant::now() + self.limit;
        let mut last_error = PoolError::Timeout(TimeoutType::Wait);
        loop {
            let returned = self.returned.notified();
            let is_waiting = self.is_full() && all_are_in_use(pool);
            if is_waiting && timeout_at(deadline, returned).await.is_err() {
                return Err(last_error);
            }
            match pool.get().await {
                Err(PoolError::Backend(ConnectError::Driver(error)))
                    if is_full(&error) && pool.status().size > 0 && Instant::now() < deadline =>
                {
                    last_error = ConnectError::Driver(error).into();
                    self.note_full();
                }
                result => return result,
            }
        }
    }

    /// Announces when it is dropped that a connection has been returned, or closed.
    pub(super) fn announcement(&self) -> Announcement<'_> {
        Announcement(&self.returned)
    }

    fn note_full(&self) {
        let until = self.created.elapsed() + NO_ATTEMPT;
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.full_until.store(until, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        let until = self.full_until.load(Ordering::Relaxed);
        until > 0 && self.created.elapsed() < Duration::from_millis(until)
    }
}

fn all_are_in_use(pool: &Pool<Connector>) -> bool {
    let status = pool.status();
    status.size > 0 && status.available == 0
}

pub(super) struct Announcement<'a>(&'a Notify);

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
