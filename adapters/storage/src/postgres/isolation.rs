//! Keeps statements that hang from holding up the statements of other workspaces.
//!
//! On an engine that spreads rows over machines, one machine that hangs makes the statements of some
//! workspaces hang and of others not. Which workspaces those are is only known by trying. So:
//!
//! * A statement is *slow* after [`SLOW`]. At most half of the connections wait for slow statements. One
//!   more is given up, if the database answers other workspaces meanwhile.
//! * A workspace whose statement was not answered while those of others were is *suspected*: its
//!   statements fail at once, except for one that tries again after a pause. One of all suspected
//!   workspaces does so at a time, and is given up when it is slow.
//!
//! So a workspace that hangs holds up others for one connection and about [`SLOW`] at a time, once in a
//! pause. While a database answers nothing, nothing is given up early and nothing suspected.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// After how long a statement is slow, and how often it is then decided whether to give it up.
pub(super) const SLOW: Duration = Duration::from_millis(250);

/// How long a statement that was given up may remain in the server, which ends it at its time limit.
const REMAINS: Duration = Duration::from_secs(6);

/// How many of those there may be, as a multiple of the connections. Each is one more connection of the
/// server until then.
const LEFT_BEHIND: usize = 4;

/// The pause before a suspected workspace is tried again, which doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The most suspected workspaces. One more is given up after [`SLOW`] each time.
const SUSPECTS: usize = 16_384;

/// A hash of the workspace, or `None` for what concerns several.
pub(super) type Key = Option<u64>;

pub(super) struct Isolation {
    hasher: RandomState,
    state: Mutex<State>,
    /// Whether any workspace is suspected, so that there is nothing to look up otherwise.
    suspicious: AtomicBool,
    slow: Arc<Semaphore>,
    retries: Arc<Semaphore>,
    left_behind: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    /// The number of statements so far.
    begun: u64,
    in_flight: Vec<InFlight>,
    suspects: HashMap<u64, Suspect>,
}

struct InFlight {
    number: u64,
    key: Key,
    is_a_read: bool,
    /// Of a suspected workspace.
    is_a_retry: bool,
    since: Since,
}

/// What was answered of the statements that began later.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    any: bool,
    /// Of the same workspace.
    own: bool,
    /// Of others, and as much: a disk that stalls answers reads, and writes later.
    others: bool,
}

impl Since {
    /// Whether the workspace is what is not answered.
    fn blames_the_workspace(self) -> bool {
        self.others && !self.own
    }
}

struct Suspect {
    /// When to try again.
    next: Instant,
    pause: Duration,
}

/// The workspace is suspected.
#[derive(Debug)]
pub(super) struct Suspected;

/// Leave to run a statement.
pub(super) struct Admission {
    key: Key,
    retry: Option<Retry>,
}

/// Leave to try again for a suspected workspace.
struct Retry {
    _turn: OwnedSemaphorePermit,
    /// Taken in advance.
    remains: OwnedSemaphorePermit,
}

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Answered,
    /// It exceeded its time limit, or was given up.
    NotAnswered,
    /// Anything else, which says nothing about other statements.
    Failed,
}

impl Isolation {
    pub(super) fn new(connections: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            state: Mutex::default(),
            suspicious: AtomicBool::new(false),
            slow: Arc::new(Semaphore::new((connections / 2).max(1))),
            retries: Arc::new(Semaphore::new(1)),
            left_behind: Arc::new(Semaphore::new(connections * LEFT_BEHIND)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a statement may wait for a connection.
    pub(super) fn admit(&self, workspace: Option<&[u8]>) -> Result<Admission, Suspected> {
        let key = workspace.map(|workspace| self.hasher.hash_one(workspace));
        let Some(suspect) = key.filter(|_| self.suspicious.load(Ordering::Relaxed)) else {
            return Ok(Admission { key, retry: None });
        };
        let mut state = self.state();
        let Some(suspect) = state.suspects.get_mut(&suspect) else {
            return Ok(Admission { key, retry: None });
        };
        let now = Instant::now();
        if now < suspect.next {
            return Err(Suspected);
        }
        let take = |semaphore: &Arc<Semaphore>| {
            Arc::clone(semaphore).try_acquire_owned().map_err(|_| Suspected)
        };
        let retry = Retry { _turn: take(&self.retries)?, remains: take(&self.left_behind)? };
        // For the next ones, until this one has ended.
        suspect.next = now + REMAINS;
        Ok(Admission { key, retry: Some(retry) })
    }

    /// Begins a statement on a connection, unless its workspace has become suspected meanwhile.
    pub(super) fn begin(
        &self,
        admission: Admission,
        is_a_read: bool,
    ) -> Result<Running<'_>, Suspected> {
        let Admission { key, retry } = admission;
        let mut state = self.state();
        if retry.is_none() && key.is_some_and(|key| state.suspects.contains_key(&key)) {
            return Err(Suspected);
        }
        state.begun += 1;
        let number = state.begun;
        let (is_a_retry, since) = (retry.is_some(), Since::default());
        state.in_flight.push(InFlight { number, key, is_a_read, is_a_retry, since });
        drop(state);
        Ok(Running { isolation: self, number, slow: None, retry, has_ended: false })
    }

    /// Removes a statement, and returns what was answered since it began.
    fn end(&self, number: u64, ending: Ending) -> Since {
        let mut state = self.state();
        let Some(index) = state.in_flight.iter().position(|it| it.number == number) else {
            return Since::default();
        };
        let InFlight { key, is_a_read, is_a_retry, since, .. } = state.in_flight.swap_remove(index);
        match ending {
            Ending::Answered => {
                for earlier in state.in_flight.iter_mut().filter(|it| it.number < number) {
                    earlier.since.any = true;
                    earlier.since.own |= earlier.key == key;
                    earlier.since.others |= earlier.key != key && (earlier.is_a_read || !is_a_read);
                }
                if let Some(key) = key
                    && state.suspects.remove(&key).is_some()
                    && state.suspects.is_empty()
                {
                    self.suspicious.store(false, Ordering::Relaxed);
                    tracing::info!("the database answers all workspaces again");
                }
            }
            Ending::NotAnswered if since.blames_the_workspace() => {
                if let Some(key) = key {
                    self.suspect(&mut state, key, is_a_retry);
                }
            }
            Ending::NotAnswered | Ending::Failed => {}
        }
        since
    }

    fn suspect(&self, state: &mut State, key: u64, is_a_retry: bool) {
        let now = Instant::now();
        if let Some(suspect) = state.suspects.get_mut(&key) {
            if is_a_retry {
                suspect.pause = (suspect.pause * 2).min(LONGEST_PAUSE);
                suspect.next = now + suspect.pause;
            }
            return;
        }
        if state.suspects.len() >= SUSPECTS {
            // Those that did not come back.
            state.suspects.retain(|_, suspect| now < suspect.next);
        }
        if state.suspects.len() < SUSPECTS {
            let suspect = Suspect { next: now + FIRST_PAUSE, pause: FIRST_PAUSE };
            state.suspects.insert(key, suspect);
            if !self.suspicious.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "the database does not answer some workspaces, while it answers others: their \
                     requests fail until it does; see which of its machines, or which lock, hangs"
                );
            }
        }
    }
}

/// A statement in flight.
pub(super) struct Running<'a> {
    isolation: &'a Isolation,
    number: u64,
    slow: Option<OwnedSemaphorePermit>,
    retry: Option<Retry>,
    has_ended: bool,
}

impl Running<'_> {
    /// Whether a connection may wait for it although it is slow.
    pub(super) fn may_be_slow(&mut self) -> bool {
        if self.slow.is_none() && self.retry.is_none() {
            self.slow = Arc::clone(&self.isolation.slow).try_acquire_owned().ok();
        }
        self.slow.is_some()
    }

    /// Whether the database answers other workspaces, and not this.
    pub(super) fn is_overtaken(&self) -> bool {
        let state = self.isolation.state();
        let own = state.in_flight.iter().find(|it| it.number == self.number);
        own.is_some_and(|own| own.key.is_some() && own.since.others)
    }

    /// Counts it among those that may remain in the server. `false` if these are enough.
    pub(super) fn may_be_left_behind(&mut self) -> bool {
        let taken = self.retry.take().map(|retry| retry.remains);
        let free = || Arc::clone(&self.isolation.left_behind).try_acquire_owned().ok();
        let Some(remains) = taken.or_else(free) else { return false };
        tokio::spawn(async move {
            sleep(REMAINS).await;
            drop(remains);
        });
        true
    }

    /// Ends it. Returns whether a statement was answered that began later.
    pub(super) fn end(mut self, ending: Ending) -> bool {
        self.has_ended = true;
        self.isolation.end(self.number, ending).any
    }
}

/// Ends it, if the caller did not wait.
impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.isolation.end(self.number, Ending::Failed);
        }
    }
}
