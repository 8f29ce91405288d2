//! The authorization server's metadata, forwarded for clients that look for it here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::de::IgnoredAny;
use todo_application::domain::Instant;
use todo_application::ports::{AuthorizationServer, BoxError, Clock};
use url::Url;

use crate::http::{FetchError, ScalekitHttp, in_one_line};
use crate::single_flight::SingleFlight;
use crate::{ScalekitEnvironment, clock, json};

/// How long a document is forwarded without asking again.
const LIFETIME: Duration = Duration::from_mins(5);
/// How long a failure is the answer without asking again: anybody may ask for the document, and
/// none of them should make this server queue for a host that is down.
const FAILURE_LIFETIME: Duration = Duration::from_secs(5);
/// What is read of a metadata document, in bytes. Scalekit's has about 1,000.
const MAX_METADATA_BYTES: usize = 64 * 1024;

/// The authorization server of a resource in a Scalekit environment.
#[derive(Clone)]
pub struct ScalekitAuthorizationServer {
    shared: Arc<Shared>,
}

struct Shared {
    urls: [Url; 2],
    http: ScalekitHttp,
    clock: Arc<dyn Clock>,
    latest: Mutex<Option<Latest>>,
    flight: SingleFlight,
}

#[derive(Clone)]
struct Latest {
    outcome: Result<Arc<str>, Arc<FetchError>>,
    asked_at: Instant,
}

impl ScalekitAuthorizationServer {
    /// The authorization server of `environment`'s resource. Makes no request.
    pub fn new(
        environment: &ScalekitEnvironment,
        http: ScalekitHttp,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                urls: environment.metadata_urls().clone(),
                http,
                clock,
                latest: Mutex::default(),
                flight: SingleFlight::default(),
            }),
        }
    }
}

impl Shared {
    fn latest(&self) -> Option<Latest> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.clone()
    }

    fn is_fresh(&self) -> bool {
        self.latest().is_some_and(|latest| {
            let lifetime = match latest.outcome {
                Ok(_) => LIFETIME,
                Err(_) => FAILURE_LIFETIME,
            };
            !clock::has_passed(lifetime, latest.asked_at, self.clock.now())
        })
    }

    async fn refresh(&self) {
        let outcome = self.fetch().await;
        if let Err(failure) = &outcome {
            tracing::warn!(
                error = in_one_line(failure),
                "the authorization server's metadata could not be fetched"
            );
        }
        let latest = Latest { outcome: outcome.map_err(Arc::new), asked_at: self.clock.now() };
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
    }

    /// Asks at the path-inserted form (RFC 8414 §3.1), and at the path-appended one if the answer
    /// is not the document: one tenant was seen answering 404. No answer at all is the last word,
    /// since both are on one host.
    async fn fetch(&self) -> Result<Arc<str>, FetchError> {
        let [path_inserted, path_appended] = &self.urls;
        match self.fetch_from(path_inserted).await {
            Err(FetchError::Request(error)) => Err(error.into()),
            Err(_) => self.fetch_from(path_appended).await,
            Ok(metadata) => Ok(metadata),
        }
    }

    async fn fetch_from(&self, url: &Url) -> Result<Arc<str>, FetchError> {
        let metadata = self.http.text(url, MAX_METADATA_BYTES).await?;
        match json::object::<IgnoredAny>(&metadata) {
            Some(_) => Ok(metadata.into()),
            None => Err(FetchError::Unexpected { expected: "a JSON object" }),
        }
    }
}

#[async_trait]
impl AuthorizationServer for ScalekitAuthorizationServer {
    async fn metadata(&self) -> Result<Arc<str>, BoxError> {
        let landing = self.shared.flight.join_or_start(|| {
            let shared = Arc::clone(&self.shared);
            let is_due = !self.shared.is_fresh();
            is_due.then_some(async move { shared.refresh().await })
        });
        if let Some(landing) = landing {
            landing.wait().await;
        }
        match self.shared.latest().map(|latest| latest.outcome) {
            Some(outcome) => Ok(outcome?),
            None => Err("the request to Scalekit was cut short".into()),
        }
    }
}

#[cfg(test)]
mod tests;
