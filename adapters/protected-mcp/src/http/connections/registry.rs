use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::connection::Connection;
use crate::limits::Usage;

/// How many connections are closed at once to make room: a part of all, so that finding the oldest of them
/// costs little for each.
const PART: usize = 64;

/// The same for those of callers with few, each of which may be missed.
const SMALL_PART: usize = 512;

/// The share of one caller when idle connections are closed, as a part of all.
const SHARE_OF_A_CALLER: usize = 16;

/// How many connections at once read what their clients still send after the last answer.
const LINGERING: usize = 16;

/// How often a shortage is logged at most, and how often the connections are searched for idle ones while
/// there are none.
const LOG_EVERY: Duration = Duration::from_secs(10);
const SEARCH_EVERY: Duration = Duration::from_millis(50);

/// How many connections a server keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimit {
    pub(super) served: usize,
    pub(super) rejecting: usize,
}

impl ConnectionLimit {
    /// The most connections that a server keeps unless it is told otherwise, however many files it may open.
    pub const MAX: usize = 10_000;

    /// How many connections beyond are kept for a moment, to be told that there are too many, or that the
    /// process lives.
    const MOST_REJECTING: usize = 256;

    /// The limit for a process that may open so many files and sockets for this server.
    pub fn for_open_files(files: usize) -> Self {
        Self::default().within_open_files(files)
    }

    /// So many connections, if the process may open as many files.
    pub fn new(served: NonZeroUsize) -> Self {
        Self { served: served.get(), rejecting: Self::MOST_REJECTING }
    }

    /// No more than fit into so many files and sockets.
    #[must_use]
    pub fn within_open_files(self, files: usize) -> Self {
        let rejecting = (files / 8).clamp(1, self.rejecting);
        Self { served: files.saturating_sub(rejecting).clamp(1, self.served), rejecting }
    }

    /// How many of the connections that are served may have a stream, which is not closed to make room.
    pub(crate) fn streams(self) -> usize {
        (self.served / 2).max(1)
    }

    /// How many files and sockets it needs.
    pub fn files(self) -> usize {
        self.served + self.rejecting
    }
}

impl Default for ConnectionLimit {
    fn default() -> Self {
        Self { served: Self::MAX, rejecting: Self::MOST_REJECTING }
    }
}

/// The connections of a server, at one moment and since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionStatistics {
    /// Those whose requests are answered.
    pub open: Usage,
    /// Idle ones that were closed to make room for others.
    pub closed: u64,
    /// Those that were one too many: each was answered 503, or that the process lives.
    pub rejected: u64,
}

/// The open connections of a server.
pub(crate) struct Registry {
    limit: ConnectionLimit,
    open: Mutex<Open>,
    /// For connections that [linger](Connection::linger).
    lingering: Semaphore,
}

#[derive(Default)]
struct Open {
    next: u64,
    served: HashMap<u64, Arc<Connection>>,
    /// By age.
    rejecting: BTreeMap<u64, Arc<Connection>>,
    closed: u64,
    rejected: u64,
    /// When no idle connection was found.
    searched_at: Option<Instant>,
    logged_at: Option<Instant>,
}

/// The place of a connection, until it is dropped.
pub(super) struct Place {
    registry: Arc<Registry>,
    id: u64,
    pub(super) connection: Arc<Connection>,
    /// Whether its requests are answered.
    pub(super) is_served: bool,
}

impl Registry {
    pub(crate) fn new(limit: ConnectionLimit) -> Self {
        Self { limit, open: Mutex::default(), lingering: Semaphore::new(LINGERING) }
    }

    /// A place for a new connection, if necessary in place of idle ones.
    pub(super) fn admit(self: &Arc<Self>, socket: TcpStream) -> Place {
        let connection = Arc::new(Connection::new(socket));
        let mut open = self.open();
        if open.served.len() >= self.limit.served {
            open.make_room(self.limit);
        }
        open.next += 1;
        let id = open.next;
        let is_served = open.served.len() < self.limit.served;
        if is_served {
            open.served.insert(id, Arc::clone(&connection));
        } else {
            if open.rejecting.len() >= self.limit.rejecting
                && let Some((_, oldest)) = open.rejecting.pop_first()
            {
                oldest.close_if_idle();
            }
            open.rejected += 1;
            open.rejecting.insert(id, Arc::clone(&connection));
        }
        drop(open);
        Place { registry: Arc::clone(self), id, connection, is_served }
    }

    pub(crate) fn statistics(&self) -> ConnectionStatistics {
        let Open { served, closed, rejected, .. } = &*self.open();
        ConnectionStatistics {
            open: Usage { used: served.len(), limit: self.limit.served },
            closed: *closed,
            rejected: *rejected,
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn lingering(&self) -> &Semaphore {
        &self.registry.lingering
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.registry.open();
        if self.is_served {
            open.served.remove(&self.id);
        } else {
            open.rejecting.remove(&self.id);
        }
    }
}

/// In which order idle connections are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// No good token has come on it.
    None,
    /// Its caller has more connections than its share.
    OfMany,
    OfFew,
}

impl Open {
    /// Closes idle connections: of those with the weakest claim, the ones that are idle for longest. They
    /// are no longer counted, and end a moment later.
    fn make_room(&mut self, limit: ConnectionLimit) {
        let now = Instant::now();
        if self.searched_at.is_some_and(|at| now.saturating_duration_since(at) < SEARCH_EVERY) {
            return;
        }
        let share = (limit.served / SHARE_OF_A_CALLER).max(1);
        let mut idle: Vec<_> = self
            .served
            .iter()
            .filter_map(|(id, connection)| {
                let claim = match connection.connections_of_its_caller() {
                    None => Claim::None,
                    Some(connections) if connections > share => Claim::OfMany,
                    Some(_) => Claim::OfFew,
                };
                Some((claim, connection.idle_since()?, *id))
            })
            .collect();
        idle.sort_unstable();
        let weakest = idle.first().map(|(claim, ..)| *claim);
        let most = match weakest {
            // Who is calm may come back to it at any moment.
            Some(Claim::OfFew) => limit.served / SMALL_PART,
            _ => limit.served / PART,
        };
        let mut closed = 0;
        for (_, _, id) in
            idle.iter().take_while(|(claim, ..)| Some(*claim) == weakest).take(most.max(1))
        {
            if self.served.get(id).is_some_and(|connection| connection.close_if_idle()) {
                self.served.remove(id);
                closed += 1;
            }
        }
        self.closed += closed;
        self.searched_at = (closed == 0).then_some(now);
        if self.logged_at.is_none_or(|at| now.saturating_duration_since(at) >= LOG_EVERY) {
            self.logged_at = Some(now);
            tracing::warn!(
                connections = limit.served,
                closed,
                "as many connections as this process may have: idle ones are closed for new ones, \
                 which are rejected if there are none"
            );
        }
    }
}
