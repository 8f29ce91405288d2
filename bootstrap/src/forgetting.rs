//! Removing the changes that are no longer to be remembered.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use todo_application::domain::{Instant, OperatorPermit};
use todo_application::ports::{Clock, Forgotten, StorageError, TodoHistory, in_one_line};

/// Between two rounds through all workspaces.
const ROUND: Duration = Duration::from_hours(1);

/// Between two steps of a round, so that other work goes first.
const STEP: Duration = Duration::from_millis(20);

/// Removes changes step by step in the background, also those of workspaces that are no longer used.
pub struct Forgetting {
    history: Arc<dyn TodoHistory>,
    clock: Arc<dyn Clock>,
    days: u32,
    removed: Arc<AtomicU64>,
}

impl Forgetting {
    pub(crate) fn new(history: Arc<dyn TodoHistory>, clock: Arc<dyn Clock>, days: u32) -> Self {
        Self { history, clock, days, removed: Arc::default() }
    }

    /// Counts the changes that it removes.
    pub(crate) fn removed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.removed)
    }

    /// A round at once, and then one every hour.
    pub(crate) async fn run_until(self, stop: impl Future<Output = ()>) {
        let rounds = async {
            loop {
                match self.round(STEP).await {
                    Ok(0) => {}
                    Ok(changes) => tracing::info!(changes, "old changes removed"),
                    Err(error) => {
                        let cause = in_one_line(&error);
                        tracing::warn!(cause, "old changes cannot be removed at the moment");
                    }
                }
                tokio::time::sleep(ROUND).await;
            }
        };
        tokio::select! {
            () = stop => {}
            () = pin!(rounds) => {}
        }
    }

    /// Removes what is too old in all workspaces, and returns how many changes that were.
    pub async fn round(&self, pause: Duration) -> Result<u64, StorageError> {
        let permit = operator();
        let until = self.until();
        let (mut after, mut removed) = (None, 0);
        loop {
            let Forgotten { changes, after: next } =
                self.history.forget(&permit, until, after.as_ref()).await?;
            removed += changes;
            self.removed.fetch_add(changes, Ordering::Relaxed);
            if next.is_none() && changes == 0 {
                return Ok(removed);
            }
            after = next;
            tokio::time::sleep(pause).await;
        }
    }

    fn until(&self) -> Instant {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        if self.days == 0 {
            // Also what a server whose clock is ahead has remembered.
            return Instant::MAX;
        }
        let until = self.clock.now().as_unix_millis() - i64::from(self.days) * DAY;
        Instant::from_unix_millis(until.max(0)).unwrap_or(Instant::MAX)
    }
}

/// No request reaches this.
#[expect(clippy::disallowed_methods, reason = "the server does this for the operator")]
fn operator() -> OperatorPermit {
    OperatorPermit::for_the_operator()
}
