//! The environment's signing keys: when they are fetched, and what is kept when that fails.
//!
//! | situation | a request that needs a key |
//! |---|---|
//! | key known, set younger than an hour | gets it |
//! | key known, set older | gets it; a refresh starts beside it |
//! | key id unknown | waits for a refresh if one is due, then gets the key or `UnknownKey` |
//! | no key ever had | the same, but `Unavailable` while there is still none |
//!
//! Refreshes are at least 30 s apart, whatever they led to: key ids are the caller's choice, and
//! Scalekit limits requests per environment. While no key was ever had the pause is shorter, since
//! nobody can be served until there is one.
//! A set is replaced as a whole, and only by a set with a usable key: an outage, an empty set or
//! one malformed key never takes a good key away, and a key that is rotated out goes with the next
//! refresh.

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

/// After this a set is refreshed even if it has every key that is asked for.
const MAX_AGE: Duration = Duration::from_hours(1);
/// Between the starts of two fetches once a key set is known.
const PAUSE: Duration = Duration::from_secs(30);
/// Between the starts of two fetches while none is known, after the first failure, the second, and
/// so on; the last one stays. With the fetch's own limit of 5 s it keeps recovery under 10 s.
const PAUSES_WITHOUT_KEYS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(5),
];
/// What is read of a key set, in bytes. A set of two keys has about 1,000.
const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// How long `ready` waits for a first key set. The port asks for an answer within a second.
const READINESS_PATIENCE: Duration = Duration::from_millis(800);

/// The signing keys of a Scalekit environment. Cloning gives another handle to the same keys.
///
/// Nothing is fetched until somebody asks; asking whether they are [ready](Readiness) is asking.
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
    fetched_at: Instant,
}

/// What is remembered of past fetches. Failures matter until the first key set is known.
#[derive(Default)]
struct Attempts {
    last_started_at: Option<Instant>,
    failures: usize,
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
    ) -> Result<Arc<PublishedKey>, VerificationError> {
        if let Some(known) = self.shared.known() {
            if let Some(key) = known.keys.find(unverified_key_id) {
                if clock::has_passed(MAX_AGE, known.fetched_at, self.shared.clock.now()) {
                    self.refresh_if_due();
                }
                return Ok(Arc::clone(key));
            }
            if unverified_key_id.is_none() {
                return Err(Rejection::UnknownKey.into());
            }
        }
        if let Some(refresh) = self.refresh_if_due() {
            refresh.wait().await;
        }
        let Some(known) = self.shared.known() else {
            return Err(VerificationError::Unavailable(self.shared.last_failure()));
        };
        let key = known.keys.find(unverified_key_id);
        Ok(Arc::clone(key.ok_or(Rejection::UnknownKey)?))
    }

    /// The refresh under way, or the one that is due, started.
    fn refresh_if_due(&self) -> Option<Landing> {
        self.shared.flight.join_or_start(|| {
            let is_due = self.shared.start_attempt_if_due();
            let shared = Arc::clone(&self.shared);
            is_due.then_some(async move { shared.refresh().await })
        })
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

    fn start_attempt_if_due(&self) -> bool {
        let now = self.clock.now();
        let has_keys = self.known().is_some();
        let mut attempts = self.attempts();
        let is_due = attempts.last_started_at.is_none_or(|last_started_at| {
            clock::has_passed(attempts.pause(has_keys), last_started_at, now)
        });
        if is_due {
            attempts.last_started_at = Some(now);
        }
        is_due
    }

    async fn refresh(&self) {
        match self.fetch().await {
            Ok(keys) => self.replace(keys),
            Err(failure) => {
                tracing::warn!(
                    error = in_one_line(&failure),
                    keys.known = self.known().is_some(),
                    "the signing keys could not be fetched"
                );
                let mut attempts = self.attempts();
                attempts.failures += 1;
                attempts.last_failure = Some(Arc::new(failure));
            }
        }
    }

    async fn fetch(&self) -> Result<KeySet, FetchError> {
        KeySet::parse(&self.http.text(&self.url, MAX_KEY_SET_BYTES).await?)
    }

    fn replace(&self, keys: KeySet) {
        tracing::info!(
            keys.ids = ?keys.ids().collect::<Vec<_>>(),
            keys.passed_over = keys.passed_over(),
            "signing keys fetched"
        );
        let known = Arc::new(Known { keys, fetched_at: self.clock.now() });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }

    fn last_failure(&self) -> BoxError {
        match self.attempts().last_failure.as_ref() {
            Some(failure) => Arc::clone(failure).into(),
            None => "no attempt to fetch them has ended yet".into(),
        }
    }
}

impl Attempts {
    fn pause(&self, has_keys: bool) -> Duration {
        if has_keys {
            return PAUSE;
        }
        let step = self.failures.saturating_sub(1);
        PAUSES_WITHOUT_KEYS[step.min(PAUSES_WITHOUT_KEYS.len() - 1)]
    }
}

#[async_trait]
impl Readiness for ScalekitKeys {
    fn name(&self) -> &'static str {
        "keys"
    }

    /// Ready as soon as one key set was had: a later outage is lived through with it. Until then
    /// asking starts a fetch when one is due, so that a server to which nobody sends a request
    /// before it is ready becomes ready.
    async fn ready(&self) -> Result<(), NotReady> {
        if self.shared.known().is_none()
            && let Some(refresh) = self.refresh_if_due()
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
