//! How many connections are kept.

use std::num::NonZeroUsize;
use std::time::Duration;

use deadpool::managed::Pool;

use super::connector::Connector;

/// The connections of one server, without that of its change feed. Each is a process of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresPool {
    /// The most of them.
    pub size: NonZeroUsize,
    /// For how long one may be unused. After up to half as much again it is closed, unless it is the last.
    pub idle: Duration,
}

/// With the default `max_connections` of PostgreSQL, 100, enough for ten servers.
impl Default for PostgresPool {
    fn default() -> Self {
        const SIZE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
        Self { size: SIZE, idle: Duration::from_mins(1) }
    }
}

/// Closes connections that are unused, until the pool is dropped.
pub(super) fn close_unused(pool: &Pool<Connector>, idle: Duration) {
    let pool = pool.weak();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(idle / 2).await;
            let Some(pool) = pool.upgrade() else { return };
            let mut left = pool.status().size;
            let unused = pool.retain(|_, metrics| {
                let stays = left <= 1 || metrics.last_used() < idle;
                left -= usize::from(!stays);
                stays
            });
            let closed = unused.removed.len();
            if closed > 0 {
                tracing::debug!(closed, left, "unused database connections closed");
            }
        }
    });
}
