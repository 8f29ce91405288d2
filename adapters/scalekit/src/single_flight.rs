//! Many wait, one works.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Runs at most one piece of work at a time, and lets any number wait for it.
///
/// The work is a task of its own: it goes on when those who wait for it go away, so that a client
/// that hangs up neither wastes a fetch nor leaves the others without one.
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    current: Mutex<Option<Landing>>,
}

/// The end of a piece of work, whichever way it ends.
#[derive(Debug, Clone)]
pub(crate) struct Landing(watch::Receiver<()>);

impl SingleFlight {
    /// The work under way, or else the work that `start` gives, started. `None` when there is
    /// neither. `start` is asked under a lock: two callers never both start.
    pub(crate) fn join_or_start<Work>(
        &self,
        start: impl FnOnce() -> Option<Work>,
    ) -> Option<Landing>
    where
        Work: Future<Output = ()> + Send + 'static,
    {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = current.as_ref()
            && !landing.is_over()
        {
            return Some(landing.clone());
        }
        let work = start()?;
        let (in_the_air, landed) = watch::channel(());
        tokio::spawn(async move {
            // Dropped when the work ends, also when it panics or the runtime shuts down.
            let _in_the_air = in_the_air;
            work.await;
        });
        *current = Some(Landing(landed));
        current.clone()
    }
}

impl Landing {
    /// Waits until the work has ended.
    pub(crate) async fn wait(mut self) {
        // Nothing is ever sent: the only change is that the sender goes away.
        let _ = self.0.changed().await;
    }

    fn is_over(&self) -> bool {
        self.0.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn work_under_way_is_joined_and_ended_work_is_not() {
        let flight = SingleFlight::default();
        let go_on = Arc::new(Notify::new());
        let work = Arc::clone(&go_on);
        let first =
            flight.join_or_start(|| Some(async move { work.notified().await })).expect("a landing");
        let joined = flight
            .join_or_start::<std::future::Ready<()>>(|| panic!("must not start a second one"))
            .expect("the same landing");
        go_on.notify_one();
        first.wait().await;
        joined.wait().await;
        assert!(flight.join_or_start(|| None::<std::future::Ready<()>>).is_none());
    }

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it() {
        let flight = SingleFlight::default();
        let done = Arc::new(Notify::new());
        let work = Arc::clone(&done);
        drop(flight.join_or_start(|| Some(async move { work.notify_one() })));
        done.notified().await;
    }

    #[tokio::test]
    async fn work_that_panics_is_over() {
        let flight = SingleFlight::default();
        let landing = flight
            .join_or_start(|| Some(async { panic!("as the test wants") }))
            .expect("a landing");
        landing.wait().await;
    }
}
