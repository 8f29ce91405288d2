//! The health check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use todo_application::ports::StorageError;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connections::{Connections, Single};
use super::failure::Failure;
use super::probe::{KEYS, nowhere};
use super::queries::Query;

/// How long a check waits. The port promises a result within a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// How long one of the [`KEYS`] is waited for before the next is asked for as well.
const NEXT: Duration = Duration::from_millis(100);

/// Whether a database can serve: it answers, and most of the recent requests were served.
pub(super) struct Health {
    prober: Arc<Prober>,
    /// The probe of a check that is still running.
    running: Mutex<Option<JoinHandle<Result<(), Failure>>>>,
}

impl Health {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        let (answers, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let prober = Arc::new(Prober { connections, answers, has_failed });
        Self { prober, running: Mutex::default() }
    }

    pub(super) async fn check(&self) -> Result<(), StorageError> {
        let unavailable = |cause: String| Err(StorageError::Unavailable(cause.into()));
        match timeout(PATIENCE, self.probe()).await {
            Ok(Ok(())) if self.prober.connections.evidence.are_most_failing() => {
                unavailable("the database does not serve most requests".to_owned())
            }
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => {
                unavailable(format!("the database cannot be used: {}", failure.reason()))
            }
            Err(_elapsed) => unavailable("the database does not answer in time".to_owned()),
        }
    }

    /// Queries the database, or continues to wait for the query of an earlier check. After a failed write,
    /// it also writes.
    ///
    /// A new connection may take longer than a check may. It is made in the background, for the next
    /// check: until one has succeeded there may be nothing but checks to make it.
    async fn probe(&self) -> Result<(), Failure> {
        let mut running = self.running.lock().await;
        let probe = running.take_if(|probe| !probe.is_finished());
        let probe = running.insert(probe.unwrap_or_else(|| {
            let prober = Arc::clone(&self.prober);
            tokio::spawn(async move { prober.probe().await })
        }));
        probe.await.unwrap_or_else(|_| Err(Failure::no_answer()))
    }
}

struct Prober {
    connections: Arc<Connections>,
    /// The index of the key for which there was an answer.
    answers: AtomicUsize,
    /// Whether the last probe has failed.
    has_failed: AtomicBool,
}

impl Prober {
    async fn probe(&self) -> Result<(), Failure> {
        let result = self.probe_keys().await;
        let has_failed = self.has_failed.swap(result.is_err(), Ordering::Relaxed);
        if result.is_ok() && has_failed {
            // Before this the database was another, in a way.
            self.connections.evidence.forget();
        }
        result
    }

    /// Succeeds if one key can be used, beginning with the one that worked last.
    async fn probe_keys(&self) -> Result<(), Failure> {
        let first = self.answers.load(Ordering::Relaxed);
        let mut keys = KEYS.iter().enumerate().cycle().skip(first).take(KEYS.len());
        let mut running = FuturesUnordered::new();
        let mut last = Err(Failure::no_answer());
        loop {
            let key = keys.next();
            let has_more = key.is_some();
            running.extend(key.map(async |(index, key)| (index, self.probe_key(key).await)));
            tokio::select! {
                answer = running.next() => match answer {
                    None => return last,
                    Some((index, Ok(()))) => {
                        self.answers.store(index, Ordering::Relaxed);
                        return Ok(());
                    }
                    Some((_, failed)) => last = failed,
                },
                () = sleep(NEXT), if has_more => {}
            }
        }
    }

    async fn probe_key(&self, key: &[u8]) -> Result<(), Failure> {
        // In no workspace, but keyed by one, so that a single machine can answer.
        let nowhere = nowhere(key);
        let exists = Single { query: Query::Exists, parameters: &nowhere };
        self.connections.attempt(&exists).await?;
        let is_failing = &self.connections.evidence.is_failing;
        if is_failing.load(Ordering::Relaxed) {
            let write = Single { query: Query::Probe, parameters: &nowhere[..1] };
            self.connections.attempt(&write).await?;
            is_failing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }
}
