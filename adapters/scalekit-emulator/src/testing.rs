//! What tests can do to a running environment.

use tokio::task;

use crate::error::EmulatorError;
use crate::handle::EmulatorHandle;
use crate::quirks::Quirks;
use crate::state::state_file;

impl EmulatorHandle {
    /// Makes the environment deviate in exactly these ways from now on. Quirks that were set before are
    /// gone, responses that were [held](crate::KeysEndpoint::Held) are sent, and client metadata
    /// documents are fetched again.
    pub fn set_quirks(&self, quirks: Quirks) {
        self.environment.behavior.set(quirks);
    }

    pub fn quirks(&self) -> Quirks {
        self.environment.behavior.current()
    }

    /// The key set of `/keys` while [`Quirks::keys`] is normal.
    pub fn public_jwks(&self) -> serde_json::Value {
        self.environment.jwks()
    }

    /// Signs with a new key from now on, and keeps the previous one in the key set. In memory only: a
    /// state file keeps its key. Fails with [`EmulatorError::KeyGeneration`].
    pub async fn rotate_key(&self) -> Result<(), EmulatorError> {
        let (_, next) = task::spawn_blocking(state_file::new_key)
            .await
            .unwrap_or(Err(EmulatorError::KeyGeneration))?;
        self.environment.keys.rotate(next);
        Ok(())
    }

    /// Removes every key but the one that signs from the key set: tokens of the others become invalid.
    pub fn retire_old_keys(&self) {
        self.environment.keys.retire_old();
    }

    /// How many requests the key set endpoint has received, whatever the response.
    pub fn key_requests(&self) -> u64 {
        self.environment.behavior.key_requests()
    }

    /// Waits until the key set endpoint has received `count` requests in all, held ones included.
    pub async fn until_key_requests(&self, count: u64) {
        self.environment.behavior.until_key_requests(count).await;
    }
}
