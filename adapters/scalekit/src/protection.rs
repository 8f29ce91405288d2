//! All parts of this crate, put together for one server.

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use protected_mcp::{Clock, Protection, PublicUrl, SystemClock};
use thiserror::Error;

use crate::{
    EnvironmentError, HttpClientError, ScalekitAuthorizationServer, ScalekitEnvironment,
    ScalekitHttp, ScalekitKeys, ScalekitTokenVerifier, Statistics,
};

/// Why [`Scalekit::connect`] failed.
#[derive(Debug, Error)]
#[error(transparent)]
pub enum ConnectError {
    Environment(#[from] EnvironmentError),
    Http(#[from] HttpClientError),
}

/// What a server needs of a Scalekit environment.
#[derive(Clone)]
pub struct Scalekit {
    environment: Arc<ScalekitEnvironment>,
    keys: ScalekitKeys,
    verifier: ScalekitTokenVerifier,
    authorization_server: ScalekitAuthorizationServer,
}

impl Scalekit {
    /// Makes no request yet. `user_agent` identifies the program to Scalekit.
    pub fn new(
        environment: ScalekitEnvironment,
        user_agent: &str,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, HttpClientError> {
        let environment = Arc::new(environment);
        let http = ScalekitHttp::with_user_agent(&environment, user_agent)?;
        let keys = ScalekitKeys::new(&environment, http.clone(), Arc::clone(clock));
        let verifier =
            ScalekitTokenVerifier::new(Arc::clone(&environment), keys.clone(), Arc::clone(clock));
        let authorization_server =
            ScalekitAuthorizationServer::new(&environment, http, Arc::clone(clock));
        Ok(Self { environment, keys, verifier, authorization_server })
    }

    /// [`new`](Self::new) with the clock of this machine, and with keys that are refreshed in the background
    /// until the process ends. Needs a Tokio runtime.
    pub fn connect(environment_url: &str, resource_id: &str) -> Result<Self, ConnectError> {
        let environment = ScalekitEnvironment::new(environment_url, resource_id)?;
        let user_agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let scalekit = Self::new(environment, user_agent, &clock)?;
        tokio::spawn(scalekit.keys().refresh_until(pending()));
        Ok(scalekit)
    }

    /// Passes further claims on to the caller: see [`ScalekitTokenVerifier::keep_claims`].
    #[must_use]
    pub fn keep_claims(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { verifier: self.verifier.keep_claims(names), ..self }
    }

    /// Rejects tokens that are older: see [`ScalekitTokenVerifier::max_token_age`].
    #[must_use]
    pub fn max_token_age(self, max_age: Option<Duration>) -> Self {
        Self { verifier: self.verifier.max_token_age(max_age), ..self }
    }

    /// Lets only these clients call: see [`ScalekitTokenVerifier::allowed_clients`].
    #[must_use]
    pub fn allowed_clients(self, ids: Option<Vec<String>>) -> Self {
        Self { verifier: self.verifier.allowed_clients(ids), ..self }
    }

    /// Caches about so many accepted tokens: see [`ScalekitTokenVerifier::cached_tokens`].
    #[must_use]
    pub fn cached_tokens(self, count: NonZeroUsize) -> Self {
        Self { verifier: self.verifier.cached_tokens(count), ..self }
    }

    /// Protects a server at `public_url` with tokens of this environment.
    pub fn protection(&self, public_url: PublicUrl) -> Protection {
        Protection {
            public_url,
            issuer: self.environment.authorization_server().to_owned(),
            authenticator: Arc::new(self.verifier.clone()),
            authorization_server: Arc::new(self.authorization_server.clone()),
        }
    }

    /// What has happened to its keys and to the tokens that protect servers with it.
    pub fn statistics(&self) -> Statistics {
        Statistics { keys: self.keys.statistics(), tokens: self.verifier.statistics() }
    }

    /// The signing keys: spawn [`ScalekitKeys::refresh_until`], so that rotations are noticed before a
    /// token needs the new key.
    pub fn keys(&self) -> ScalekitKeys {
        self.keys.clone()
    }
}
