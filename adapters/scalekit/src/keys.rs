//! The environment's signing keys: when they are fetched, and what is kept when that fails.
//!
//! | situation | a request that needs a key |
//! |---|---|
//! | key known, set younger than an hour | gets it |
//! | key known, set older | gets it; a refresh starts beside it |
//! | key id unknown | waits for a refresh if one is due, then gets the key or `UnknownKey` |
//! | no key ever had | the same, but `Unavailable` while there is still none |
//!
//! When a refresh is due says `keys/schedule.rs`. There is at most one at a time, whoever wants it.
//! With `keys/upkeep.rs` running, which refreshes without being asked, no set becomes an hour old
//! but in a long outage.
//!
//! A set is replaced as a whole, and only by a set with a usable key: an outage, an empty set or
//! one malformed key never takes a good key away, and a key that is rotated out goes with the next
//! refresh. Every change of the set starts a new [`Generation`]: what was concluded from keys of an
//! earlier one no longer holds.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use todo_application::domain::Instant;
use todo_application::ports::{BoxError, Clock, NotReady, Readiness, Rejection, VerificationError};
use url::Url;

use crate::http::{FetchError, ScalekitHttp, in_one_line};
use crate::key_set::{KeySet, PublishedKey};
use crate::single_flight::{Landing, SingleFlight};
use crate::{ScalekitEnvironment, clock};

mod schedule;
mod upkeep;

use schedule::{Occasion, Schedule};

/// After this a request has the set refreshed even if it has every key that is asked for.
const MAX_AGE: Duration = Duration::from_hours(1);
/// What is read of a key set, in bytes. A set of two keys has about 1,000.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// How long `ready` waits for a first key set. The port asks for an answer within a second.
const READINESS_PATIENCE: Duration = Duration::from_millis(800);

/// The signing keys of a Scalekit environment. Cloning gives another handle to the same keys.
///
/// They are fetched when somebody asks for one, or whether they are [ready](Readiness), and by
/// themselves while [`refresh_until`](Self::refresh_until) runs.
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
    fetched_at: Instant,
}

/// Which of the key sets it is that were in force one after the other. A fetch that brings the same
/// keys again does not start a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// A key, and the generation of the set that it was found in.
pub(crate) struct FoundKey {
    pub(crate) key: Arc<PublishedKey>,
    pub(crate) generation: Generation,
}

#[derive(Default)]
struct Attempts {
    schedule: Schedule,
    /// Why there is no key while there is none.
    last_failure: Option<Arc<FetchError>>,
}

impl ScalekitKeys {
    /// The keys of `environment`, none of them known yet. Makes no request.
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

    /// The key that a token names, fetched if need be. A token that names none is given the only
    /// key there is.
    pub(crate) async fn find(
        &self,
        unverified_key_id: Option<&str>,
    ) -> Result<FoundKey, VerificationError> {
        if let Some(known) = self.known_and_renewed() {
            if let Some(found) = known.find(unverified_key_id) {
                return Ok(found);
            }
            if unverified_key_id.is_none() {
                return Err(Rejection::UnknownKey.into());
            }
        }
        if let Some(refresh) = self.refresh_if_due(Occasion::Request) {
            refresh.wait().await;
        }
        let Some(known) = self.shared.known() else {
            return Err(VerificationError::Unavailable(self.shared.last_failure()));
        };
        Ok(known.find(unverified_key_id).ok_or(Rejection::UnknownKey)?)
    }

    /// The generation of the keys in force, if there are any. What a token was told by keys of this
    /// generation, [`find`](Self::find) would have it told again.
    pub(crate) fn generation(&self) -> Option<Generation> {
        self.known_and_renewed().map(|known| known.generation)
    }

    /// What is known. If that is old, a refresh starts beside.
    fn known_and_renewed(&self) -> Option<Arc<Known>> {
        let known = self.shared.known()?;
        if clock::has_passed(MAX_AGE, known.fetched_at, self.shared.clock.now()) {
            self.refresh_if_due(Occasion::Request);
        }
        Some(known)
    }

    /// The refresh under way, or the one that is due, started.
    fn refresh_if_due(&self, occasion: Occasion) -> Option<Landing> {
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

    /// How long until a fetch is due.
    fn wait(&self, occasion: Occasion) -> Duration {
        self.attempts().schedule.wait(occasion, self.clock.now())
    }

    fn start_attempt_if_due(&self, occasion: Occasion) -> bool {
        let now = self.clock.now();
        let schedule = &mut self.attempts().schedule;
        let is_due = schedule.wait(occasion, now).is_zero();
        if is_due {
            schedule.started(occasion, now);
        }
        is_due
    }

    async fn refresh(&self) {
        match self.fetch().await {
            Ok(keys) => {
                self.replace(keys);
                self.attempts().schedule.succeeded();
            }
            Err(failure) => {
                tracing::warn!(
                    error = in_one_line(&failure),
                    keys.known = self.known().is_some(),
                    "the signing keys could not be fetched"
                );
                let mut attempts = self.attempts();
                attempts.schedule.failed();
                attempts.last_failure = Some(Arc::new(failure));
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        KeySet::parse(&self.http.text(&self.url, MAX_KEY_SET_BYTES).await?)
    }

    /// Puts keys into force. Only the one fetch in flight does.
    fn replace(&self, keys: KeySet) {
        let earlier = self.known();
        let generation = match &earlier {
            Some(earlier) if earlier.keys.is_equivalent_to(&keys) => {
                tracing::debug!("signing keys fetched: they are the same as before");
                earlier.generation
            }
            _ => {
                tracing::info!(
                    keys.ids = ?keys.ids().collect::<Vec<_>>(),
                    keys.passed_over = keys.passed_over(),
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
            None => "no attempt to fetch them has ended yet".into(),
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

    /// Ready as soon as one key set was had: a later outage is lived through with it. Until then
    /// asking starts a fetch when one is due, so that a server becomes ready by being asked.
    async fn ready(&self) -> Result<(), NotReady> {
        if self.shared.known().is_none()
            && let Some(refresh) = self.refresh_if_due(Occasion::OwnAccord)
        {
            // Out of patience or not: what is known by then is the answer.
            let _ = tokio::time::timeout(READINESS_PATIENCE, refresh.wait()).await;
        }
        if self.shared.known().is_some() {
            return Ok(());
        }
        Err(NotReady(format!(
            "no signing key of {} is known: {}",
            self.shared.url,
            in_one_line(self.shared.last_failure().as_ref())
        )))
    }
}

#[cfg(test)]
mod tests;
