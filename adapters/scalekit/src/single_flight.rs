//! Coalesces concurrent calls: at most one runs, and the others wait for it.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Runs at most one piece of work at a time, for any number of waiting tasks.
///
/// The work is a task of its own and continues when all that wait for it are dropped, so a client that
/// disconnects neither wastes a fetch nor leaves the others without one.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    current: Mutex<Option<Completion>>,
}

/// The end of a piece of work, whether it returned or panicked.
#[derive(Debug, Clone)]
pub(crate) struct Completion(watch::Receiver<()>);

impl SingleFlight {
    /// The work that is running, or else the work that `start` returns, started. `None` when there is
    /// neither. `start` is called under a lock: two callers never both start.
    pub(crate) fn join_or_start<Work>(
        &self,
        start: impl FnOnce() -> Option<Work>,
    ) -> Option<Completion>
    where
        Work: Future<Output = ()> + Send + 'static,
    {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(completion) = current.as_ref()
            && !completion.is_completed()
        {
            return Some(completion.clone());
        }
        let work = start()?;
        let (running, completed) = watch::channel(());
        tokio::spawn(async move {
            // Dropped when the work ends, also when it panics or the runtime shuts down.
            let _running = running;
            work.await;
        });
        *current = Some(Completion(completed));
        current.clone()
    }
}

impl Completion {
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent: the only change is that the sender is dropped.
        let _ = self.0.changed().await;
    }

    fn is_completed(&self) -> bool {
        self.0.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn running_work_is_joined_and_completed_work_is_not() {
        let flight = SingleFlight::default();
        let release = Arc::new(Notify::new());
        let work = Arc::clone(&release);
        let first = flight
            .join_or_start(|| Some(async move { work.notified().await }))
            .expect("running work");
        let joined = flight
            .join_or_start::<std::future::Ready<()>>(|| panic!("must not start a second one"))
            .expect("the same work");
        release.notify_one();
        first.wait().await;
        joined.wait().await;
        assert!(flight.join_or_start(|| None::<std::future::Ready<()>>).is_none());
    }

    #[tokio::test]
    async fn work_continues_when_its_completion_is_dropped() {
        let flight = SingleFlight::default();
        let done = Arc::new(Notify::new());
        let work = Arc::clone(&done);
        drop(flight.join_or_start(|| Some(async move { work.notify_one() })));
        done.notified().await;
    }

    #[tokio::test]
    async fn work_that_panics_is_completed() {
        let flight = SingleFlight::default();
        let completion = flight
            .join_or_start(|| Some(async { panic!("as the test wants") }))
            .expect("running work");
        completion.wait().await;
    }
}
