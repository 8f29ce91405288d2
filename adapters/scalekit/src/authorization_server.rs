//! The authorization server's metadata, forwarded for clients that look for it on this host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use protected_mcp::{AuthorizationServer, BoxError, Clock};
use serde::de::IgnoredAny;
use url::Url;

use crate::environment::ScalekitEnvironment;
use crate::http::{FetchError, ScalekitHttp, error_chain};
use crate::single_flight::SingleFlight;
use crate::{elapsed, json};

/// How long a document is forwarded before it is fetched again.
const LIFETIME: Duration = Duration::from_mins(5);
/// How long a failure is reported before the next attempt: anyone may request the document, and none
/// of them should make this server wait for a host that is down.
const FAILURE_LIFETIME: Duration = Duration::from_secs(5);
/// The largest metadata document, in bytes. Scalekit's has about 1,000.
const MAX_METADATA_BYTES: usize = 64 * 1024;

/// The authorization server of a resource in a Scalekit environment. A clone shares the cached
/// document.
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
    fetched_at: SystemTime,
}

impl ScalekitAuthorizationServer {
    /// Makes no request.
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
            !elapsed::has_passed(lifetime, latest.fetched_at, self.clock.now())
        })
    }

    async fn refresh(&self) {
        let outcome = self.fetch().await;
        if let Err(failure) = &outcome {
            tracing::warn!(
                error = error_chain(failure),
                "cannot fetch the authorization server's metadata"
            );
        }
        let latest = Latest { outcome: outcome.map_err(Arc::new), fetched_at: self.clock.now() };
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(latest);
    }

    /// Tries the path-inserted form (RFC 8414 section 3.1), and the path-appended one if the response
    /// is not the document: one tenant was seen responding with 404. Without any response there is no
    /// second attempt, since both are on one host.
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
        let completion = self.shared.flight.join_or_start(|| {
            let shared = Arc::clone(&self.shared);
            let is_due = !self.shared.is_fresh();
            is_due.then_some(async move { shared.refresh().await })
        });
        if let Some(completion) = completion {
            completion.wait().await;
        }
        match self.shared.latest().map(|latest| latest.outcome) {
            Some(outcome) => Ok(outcome?),
            None => Err("the request to Scalekit was interrupted".into()),
        }
    }
}

#[cfg(test)]
mod tests;
