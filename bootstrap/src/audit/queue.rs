//! The records that wait to be written.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// The most bytes that wait, those that are promised included.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The most records that wait.
const MOST_RECORDS: usize = 32 * 1024;

/// What is kept free for the record of a change that was admitted: more than the longest has, that of 50 changed
/// todos.
const PLACE: usize = 16 * 1024;

/// Whether a record is kept although the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeping {
    IfThereIsRoom,
    /// There is a [`Place`] for it, which it takes.
    Promised,
}

pub(super) struct Queue {
    is_strict: bool,
    state: Mutex<State>,
    /// There is something to write, or to do, for the writer.
    news: Condvar,
    /// The writer has ended.
    ended: Condvar,
    written: AtomicU64,
    lost: AtomicU64,
}

#[derive(Default)]
struct State {
    waiting: Lines,
    /// The bytes that the writer has taken and not yet written, and the records.
    taken: (usize, usize),
    /// How many places are promised.
    promised: usize,
    is_failing: bool,
    is_idle: bool,
    is_to_reopen: bool,
    stage: Stage,
}

#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Open,
    /// What waits is written, and then it ends.
    Closed,
    Ended,
}

/// Records, and the changes that wait for them to be written.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    pub(super) records: usize,
    pub(super) changes: Vec<oneshot::Sender<()>>,
}

/// What the writer is to do next.
pub(super) struct News {
    pub(super) is_to_reopen: bool,
    pub(super) is_closed: bool,
}

/// A place for the record of a change. Dropping it gives it back.
pub(super) struct Place(Option<Arc<Queue>>);

impl Place {
    /// Leaves it to a record, which is to be [promised](Keeping::Promised).
    pub(super) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(queue) = &self.0 {
            queue.state().promised -= 1;
        }
    }
}

impl State {
    fn has_room(&self, bytes: usize) -> bool {
        let (taken_bytes, taken_records) = self.taken;
        let places = self.promised;
        self.waiting.bytes.len() + taken_bytes + places * PLACE + bytes <= MOST_BYTES
            && self.waiting.records + taken_records + places < MOST_RECORDS
    }

    fn add(&mut self, line: &[u8]) {
        self.waiting.bytes.extend_from_slice(line);
        self.waiting.records += 1;
    }
}

impl Queue {
    pub(super) fn new(is_strict: bool) -> Self {
        let (state, news, ended) = Default::default();
        let (written, lost) = Default::default();
        Self { is_strict, state, news, ended, written, lost }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.is_strict
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the writer, if it waits.
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        let is_idle = std::mem::take(&mut state.is_idle);
        drop(state);
        if is_idle {
            self.news.notify_one();
        }
    }

    /// Adds a record, which ends with a line break, or counts it as lost.
    pub(super) fn push(&self, line: &[u8], keeping: Keeping) {
        let mut state = self.state();
        let is_kept = match keeping {
            Keeping::Promised => {
                state.promised = state.promised.saturating_sub(1);
                true
            }
            Keeping::IfThereIsRoom => state.has_room(line.len()),
        };
        if is_kept && state.stage < Stage::Ended {
            state.add(line);
        } else {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.wake(state);
    }

    /// Adds the record of a change that is about to start. Returns a place for the one of what comes of it, and
    /// what is notified when the first one is written. `None` if that would be uncertain.
    pub(super) fn admit(self: &Arc<Self>, line: &[u8]) -> Option<(Place, oneshot::Receiver<()>)> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state();
        let is_open = state.stage == Stage::Open && !state.is_failing;
        if !is_open || !state.has_room(line.len() + PLACE) {
            return None;
        }
        state.add(line);
        state.promised += 1;
        state.waiting.changes.push(sender);
        self.wake(state);
        Some((Place(Some(Arc::clone(self))), receiver))
    }

    pub(super) fn reopen(&self) {
        let mut state = self.state();
        state.is_to_reopen = true;
        self.wake(state);
    }

    /// Lets the writer end when it has written what waits. Returns whether it has, within this time.
    pub(super) fn close(&self, time: Duration) -> bool {
        let mut state = self.state();
        if state.stage == Stage::Open {
            state.stage = Stage::Closed;
        }
        self.wake(state);
        let deadline = Instant::now() + time;
        let mut state = self.state();
        while state.stage < Stage::Ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    // What follows is for the writer.

    /// Waits until there are records or something else to do, such as more lost records than are reported, and
    /// takes the records. `lines` must be empty.
    pub(super) fn take(&self, lines: &mut Lines, reported_lost: u64) -> News {
        let mut state = self.state();
        while state.waiting.bytes.is_empty()
            && !state.is_to_reopen
            && state.stage == Stage::Open
            && self.lost() == reported_lost
        {
            state.is_idle = true;
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.waiting, lines);
        state.taken = (lines.bytes.len(), lines.records);
        Self::news(&mut state)
    }

    /// Waits for this time, or until there is something else to do than to write.
    pub(super) fn pause(&self, time: Duration) -> News {
        let deadline = Instant::now() + time;
        let mut state = self.state();
        while !state.is_to_reopen && state.stage == Stage::Open {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state.is_idle = true;
            state = self.news.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_idle = false;
        Self::news(&mut state)
    }

    fn news(state: &mut State) -> News {
        let is_to_reopen = std::mem::take(&mut state.is_to_reopen);
        News { is_to_reopen, is_closed: state.stage > Stage::Open }
    }

    /// What was taken is written, with this many records.
    pub(super) fn settle(&self, records: usize) {
        self.written.fetch_add(records as u64, Ordering::Relaxed);
        let mut state = self.state();
        state.taken = (0, 0);
        state.is_failing = false;
    }

    /// What was taken could not be written.
    pub(super) fn fail(&self) {
        self.state().is_failing = true;
    }

    /// No more is written: what waits is lost, and whatever comes. Returns how many records were lost.
    pub(super) fn end(&self) -> u64 {
        let mut state = self.state();
        let lost = (state.waiting.records + state.taken.1) as u64;
        self.lost.fetch_add(lost, Ordering::Relaxed);
        state.waiting = Lines::default();
        state.stage = Stage::Ended;
        drop(state);
        self.ended.notify_all();
        lost
    }
}

#[cfg(test)]
mod tests;
