//! How much CPU time is spent on tokens that have not been verified before, and who gets it.
//!
//! Anyone can send tokens with a bad signature, and finding that out costs as much as verifying a good
//! one. So this work gets a quarter of one core, and all other work goes on. Callers whose token is cached
//! do not come here.
//!
//! While nothing waits and some time is left, a token is verified at once: after a pause, over two
//! thousand are. Others queue by the organization and subject that they claim, and queues take turns: a
//! flood from anywhere delays the queues that it claims to be of, and each of the others by one turn.
//! Subjects of which a token was verified a while ago have queues of their own, which get three of four
//! turns if they want them. What does not fit into the queues is told to try again.
//!
//! Addresses play no part: clients of many people share them.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use credit::Credit;
use lanes::{Lanes, Waiter};

mod credit;
mod lanes;

/// The queues of subjects that are known, and of those that are not, and the most that wait in each.
/// Together at most 3,072 wait.
const KNOWN: [usize; 2] = [64, 16];
const UNKNOWN: [usize; 2] = [256, 8];
/// How many subjects are known, about: those whose tokens were verified last.
const MOST_SUBJECTS: usize = 10_000;
/// Of so many turns, the unknown have the first choice in one.
const TURNS: u8 = 4;
/// The shortest time between two looks at the queues.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// Too many tokens wait for their verification.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// An organization, if any, and a subject, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Owner(u64);

/// The CPU time for verifications. A clone shares it.
#[derive(Clone)]
pub(crate) struct Budget {
    shared: Arc<Shared>,
}

struct Shared {
    /// Its keys are random, so that no caller can choose whose queue it shares.
    hasher: RandomState,
    known: Cache<Owner, ()>,
    queues: Mutex<Queues>,
}

#[derive(Debug)]
struct Queues {
    credit: Credit,
    known: Lanes,
    unknown: Lanes,
    turn: u8,
    /// Whether a task gives turns.
    is_served: bool,
}

impl Budget {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            hasher: RandomState::new(),
            known: Cache::new(MOST_SUBJECTS),
            queues: Mutex::new(Queues::new(Instant::now())),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Returns when work of this cost may be done. `owner` tells in whose queue to wait, and is called only
    /// if that is necessary.
    pub(crate) async fn admit(
        &self,
        cost: Duration,
        owner: impl FnOnce() -> Owner,
    ) -> Result<(), Overloaded> {
        if self.shared.queues().is_admitted(cost, Instant::now()) {
            return Ok(());
        }
        let owner = owner();
        let is_known = self.shared.known.get(&owner).is_some();
        let (turn, given) = oneshot::channel();
        let is_served = {
            let mut queues = self.shared.queues();
            queues.push(is_known, owner, Waiter { turn, cost });
            std::mem::replace(&mut queues.is_served, true)
        };
        if !is_served {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move { shared.serve().await });
        }
        given.await.map_err(|_dropped| Overloaded)
    }

    /// How many wait, and how much of the time that is saved up at most is spent, from 0 to 1.
    pub(crate) fn usage(&self) -> (usize, f64) {
        let mut queues = self.shared.queues();
        queues.credit.fill(Instant::now());
        (queues.known.waiting() + queues.unknown.waiting(), queues.credit.spent())
    }

    /// The owner of a token with these claims, verified or not.
    pub(crate) fn owner(&self, organization: Option<&str>, subject: &str) -> Owner {
        Owner(self.shared.hasher.hash_one((organization, subject)))
    }

    /// A token of this owner was verified.
    pub(crate) fn verified(&self, owner: Owner) {
        self.shared.known.insert(owner, ());
    }
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives turns until nothing waits.
    async fn serve(&self) {
        loop {
            let wait = self.queues().serve(Instant::now());
            match wait {
                Some(wait) => sleep(wait.max(SHORTEST_WAIT)).await,
                None => return,
            }
        }
    }
}

impl Queues {
    fn new(now: Instant) -> Self {
        let [known, unknown] = [KNOWN, UNKNOWN].map(|[count, longest]| Lanes::new(count, longest));
        Self { credit: Credit::full(now), known, unknown, turn: 0, is_served: false }
    }

    fn are_empty(&self) -> bool {
        self.known.are_empty() && self.unknown.are_empty()
    }

    /// Whether work may be done at once, which is then paid.
    fn is_admitted(&mut self, cost: Duration, now: Instant) -> bool {
        self.credit.fill(now);
        let is_admitted = self.are_empty() && self.credit.is_left();
        if is_admitted {
            self.credit.spend(cost);
        }
        is_admitted
    }

    fn push(&mut self, is_known: bool, Owner(hash): Owner, waiter: Waiter) {
        let lanes = if is_known { &mut self.known } else { &mut self.unknown };
        lanes.push(hash, waiter);
    }

    /// Gives turns while some time is left, and returns how long until there is more; `None` if nothing
    /// waits.
    fn serve(&mut self, now: Instant) -> Option<Duration> {
        self.credit.fill(now);
        while self.credit.is_left() {
            let Some(Waiter { turn, cost }) = self.next() else {
                self.is_served = false;
                return None;
            };
            // A waiter that has given up costs nothing.
            if turn.send(()).is_ok() {
                self.credit.spend(cost);
            }
        }
        Some(self.credit.wait())
    }

    fn next(&mut self) -> Option<Waiter> {
        self.turn = (self.turn + 1) % TURNS;
        if self.turn == 0 {
            self.unknown.pop().or_else(|| self.known.pop())
        } else {
            self.known.pop().or_else(|| self.unknown.pop())
        }
    }
}

#[cfg(test)]
mod tests;
