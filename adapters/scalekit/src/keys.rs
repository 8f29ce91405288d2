//! The environment's signing keys: when they are fetched, and what is kept when that fails.
//!
//! | situation | a request that needs a key |
//! |---|---|
//! | key known, set younger than an hour | gets it |
//! | key known, set older | gets it; a refresh starts in the background |
//! | key id unknown | waits for a fetch if one is due, then gets the key or `UnknownKey` |
//! | no key known yet | the same, but `KeysUnavailable` while there is still none |
//!
//! `keys/schedule.rs` decides when a refresh is due; at most one is in flight. While
//! `keys/upkeep.rs` runs, which refreshes periodically, a set becomes an hour old only in a long
//! outage.
//!
//! A set is replaced as a whole, and only by a set with a usable key: an outage, an empty set or one
//! malformed key never removes a good key, and a key that is rotated out is removed by the next
//! refresh. Every change of the set starts a new [`Generation`], which invalidates whatever was
//! concluded from keys of an earlier one. A key that stays is the same object in both sets; one that is
//! withdrawn or replaced is dropped, which revokes the callers whose tokens it signed.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use protected_mcp::{BoxError, Clock, NotReady, Readiness};
use url::Url;

use crate::elapsed;
use crate::environment::ScalekitEnvironment;
use crate::http::{FetchError, ScalekitHttp, error_chain};
use crate::invalid_token::{InvalidToken, VerificationError};
use crate::key_set::{KeySet, PublishedKey};
use crate::single_flight::{Completion, SingleFlight};
use crate::statistics::KeyStatistics;

mod schedule;
mod upkeep;

use schedule::{Occasion, Schedule};

/// The age of a set at which a request starts a refresh even if the key is known.
const MAX_AGE: Duration = Duration::from_hours(1);
/// The largest key set, in bytes. A set of two keys has about 1,000.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// How long `ready` waits for a first key set. The port requires an answer within a second.
const READINESS_PATIENCE: Duration = Duration::from_millis(800);

/// The signing keys of a Scalekit environment. A clone shares them.
///
/// They are fetched when a token needs one, when [readiness](Readiness) is checked, and periodically
/// while [`refresh_until`](Self::refresh_until) runs.
#[derive(Clone)]
pub struct ScalekitKeys {
    shared: Arc<Shared>,
}

struct Shared {
    url: Url,
    http: ScalekitHttp,
    clock: Arc<dyn Clock>,
    /// Locked to copy or to replace the `Arc`, never while something is fetched.
    known: RwLock<Option<Arc<Known>>>,
    attempts: Mutex<Attempts>,
    flight: SingleFlight,
}

struct Known {
    keys: KeySet,
    generation: Generation,
    fetched_at: SystemTime,
}

/// Counts the key sets that have been in force. A fetch that returns the same keys again does not
/// start a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// A key, and the generation of the set that holds it.
pub(crate) struct FoundKey {
    pub(crate) key: Arc<PublishedKey>,
    pub(crate) generation: Generation,
}

#[derive(Default)]
struct Attempts {
    schedule: Schedule,
    /// Since the start.
    fetched: u64,
    failed: u64,
    /// Why no key is known, while none is.
    last_failure: Option<Arc<FetchError>>,
}

impl ScalekitKeys {
    /// No key is known yet. Makes no request.
    pub fn new(
        environment: &ScalekitEnvironment,
        http: ScalekitHttp,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                url: environment.keys_url().clone(),
                http,
                clock,
                known: RwLock::default(),
                attempts: Mutex::default(),
                flight: SingleFlight::default(),
            }),
        }
    }

    /// The key with this id, fetched if necessary. Without an id, the key of a set that has only one.
    pub(crate) async fn find(
        &self,
        unverified_key_id: Option<&str>,
    ) -> Result<FoundKey, VerificationError> {
        if let Some(known) = self.known_or_refreshing() {
            if let Some(found) = known.find(unverified_key_id) {
                return Ok(found);
            }
            if unverified_key_id.is_none() {
                return Err(InvalidToken::UnknownKey.into());
            }
        }
        if let Some(refresh) = self.refresh_if_due(Occasion::UnknownKey) {
            refresh.wait().await;
        }
        let Some(known) = self.shared.known() else {
            return Err(VerificationError::KeysUnavailable(self.shared.last_failure()));
        };
        Ok(known.find(unverified_key_id).ok_or(InvalidToken::UnknownKey)?)
    }

    /// The generation of the keys in force, if any. For keys of this generation, [`find`](Self::find)
    /// still returns what it returned before.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.known_or_refreshing().map(|known| known.generation)
    }

    /// What is known, and how the fetches so far have ended.
    pub fn statistics(&self) -> KeyStatistics {
        let known = self.shared.known();
        let now = self.shared.clock.now();
        let age = |it: &Arc<Known>| now.duration_since(it.fetched_at).unwrap_or_default();
        let age = known.as_ref().map(age);
        let known = known.map_or(0, |it| it.keys.ids().count());
        let Attempts { fetched, failed, .. } = *self.shared.attempts();
        KeyStatistics { known, age, fetched, failed }
    }

    /// The known keys. If they are old, a refresh starts in the background.
    fn known_or_refreshing(&self) -> Option<Arc<Known>> {
        let known = self.shared.known()?;
        if elapsed::has_passed(MAX_AGE, known.fetched_at, self.shared.clock.now()) {
            self.refresh_if_due(Occasion::Refresh);
        }
        Some(known)
    }

    /// The refresh in flight, or the one that is due, started.
    fn refresh_if_due(&self, occasion: Occasion) -> Option<Completion> {
        self.shared.flight.join_or_start(|| {
            let is_due = self.shared.start_attempt_if_due(occasion);
            let shared = Arc::clone(&self.shared);
            is_due.then_some(async move { shared.refresh().await })
        })
    }
}

impl Known {
    fn find(&self, unverified_key_id: Option<&str>) -> Option<FoundKey> {
        let key = Arc::clone(self.keys.find(unverified_key_id)?);
        Some(FoundKey { key, generation: self.generation })
    }
}

impl Shared {
    fn known(&self) -> Option<Arc<Known>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, occasion: Occasion) -> Duration {
        self.attempts().schedule.wait(occasion, self.clock.now())
    }

    fn start_attempt_if_due(&self, occasion: Occasion) -> bool {
        let now = self.clock.now();
        let schedule = &mut self.attempts().schedule;
        let is_due = schedule.wait(occasion, now).is_zero();
        if is_due {
            schedule.started(now);
        }
        is_due
    }

    async fn refresh(&self) {
        match self.fetch().await {
            Ok(keys) => {
                self.replace(keys);
                let mut attempts = self.attempts();
                attempts.schedule.succeeded();
                attempts.fetched += 1;
            }
            Err(failure) => {
                tracing::warn!(
                    error = error_chain(&failure),
                    keys.known = self.known().is_some(),
                    "cannot fetch the signing keys"
                );
                let mut attempts = self.attempts();
                attempts.schedule.failed();
                attempts.failed += 1;
                attempts.last_failure = Some(Arc::new(failure));
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        KeySet::parse(&self.http.text(&self.url, MAX_KEY_SET_BYTES).await?)
    }

    /// Puts keys into force. Called only by the one fetch in flight.
    fn replace(&self, keys: KeySet) {
        let earlier = self.known();
        let keys = match &earlier {
            Some(earlier) => keys.succeeding(&earlier.keys),
            None => keys,
        };
        let generation = match &earlier {
            Some(earlier) if earlier.keys.is_equivalent_to(&keys) => {
                tracing::debug!("signing keys fetched, unchanged");
                earlier.generation
            }
            _ => {
                tracing::info!(
                    keys.ids = ?keys.ids().map(Option::unwrap_or_default).collect::<Vec<_>>(),
                    keys.ignored = keys.ignored(),
                    "signing keys fetched"
                );
                earlier.map_or_else(Generation::default, |earlier| earlier.generation.next())
            }
        };
        let known = Arc::new(Known { keys, generation, fetched_at: self.clock.now() });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    fn last_failure(&self) -> BoxError {
        match self.attempts().last_failure.as_ref() {
            Some(failure) => Arc::clone(failure).into(),
            None => "the first attempt to fetch them is still in flight".into(),
        }
    }
}

impl Generation {
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[async_trait]
impl Readiness for ScalekitKeys {
    fn name(&self) -> &'static str {
        "keys"
    }

    /// Ready from the first key set on, which is kept during a later outage. Until then the check
    /// starts a fetch when one is due, so a server becomes ready by being probed.
    async fn ready(&self) -> Result<(), NotReady> {
        if self.shared.known().is_none()
            && let Some(refresh) = self.refresh_if_due(Occasion::Refresh)
        {
            // Timed out or not, the keys known by then are the answer.
            let _ = tokio::time::timeout(READINESS_PATIENCE, refresh.wait()).await;
        }
        if self.shared.known().is_some() {
            return Ok(());
        }
        Err(NotReady(format!(
            "no signing key of {} is known: {}",
            self.shared.url,
            error_chain(self.shared.last_failure().as_ref())
        )))
    }
}

#[cfg(test)]
mod tests;
