//! The environment, for code in the same process.

use std::{fmt, sync::Arc};

use tokio::task;

use crate::{
    environment::Environment, error::EmulatorError, identity::TokenRequest, quirks::Quirks,
    state::state_file,
};

/// The environment, for code in the same process.
///
/// Cloning gives another handle to the same environment.
#[derive(Clone)]
pub struct EmulatorHandle {
    environment: Arc<Environment>,
}

impl EmulatorHandle {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn environment_url(&self) -> String {
        self.environment.url.clone()
    }

    /// The id of the MCP server in this environment.
    pub fn resource_id(&self) -> &str {
        &self.environment.resource_id
    }

    /// A signed access token that says what `request` says, at the time of the clock, in the form
    /// that the quirks of now give it.
    pub fn mint(&self, request: &TokenRequest) -> String {
        self.environment.mint(request, None)
    }

    /// The key set that `/keys` serves while [`Quirks::keys`] is normal.
    pub fn public_jwks(&self) -> serde_json::Value {
        self.environment.jwks()
    }

    /// Makes the environment odd from now on, in exactly these ways, while it runs. Every quirk that
    /// was set before is gone, answers that were [held](crate::KeysEndpoint::Held) are given, and
    /// client id metadata documents are fetched anew.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.environment.client_documents.forget();
        self.environment.quirks.set(quirks);
    }

    /// The quirks of now.
    pub fn quirks(&self) -> Quirks {
        self.environment.quirks.current()
    }

    /// Signs with a new key from now on, and keeps the one before it in the key set. In memory: a
    /// state file keeps its key.
    ///
    /// # Errors
    ///
    /// [`EmulatorError::KeyGeneration`], where the system has no key to give.
    pub async fn rotate_key(&self) -> Result<(), EmulatorError> {
        let (_, next) = task::spawn_blocking(state_file::new_key)
            .await
            .unwrap_or(Err(EmulatorError::KeyGeneration))?;
        self.environment.keys.rotate(next);
        Ok(())
    }

    /// Takes every key out of the key set but the one that signs: tokens of the others are void.
    pub fn retire_old_keys(&self) {
        self.environment.keys.retire_old();
    }

    /// How often the key set was asked for, whatever the answer was.
    pub fn key_requests(&self) -> u64 {
        self.environment.quirks.key_requests()
    }

    /// Waits until the key set has been asked for that often in all, held answers included.
    pub async fn until_key_requests(&self, enough: u64) {
        self.environment.quirks.until_key_requests(enough).await;
    }

    #[cfg(test)]
    pub(crate) fn router(&self) -> axum::Router {
        crate::http::router(Arc::clone(&self.environment))
    }
}

impl fmt::Debug for EmulatorHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmulatorHandle")
            .field("environment_url", &self.environment.url)
            .finish_non_exhaustive()
    }
}
