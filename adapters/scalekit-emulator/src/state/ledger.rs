//! The records of the environment: read from memory, changed on disk first.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::task;

use super::records::Records;
use super::state_file::StateFile;
use crate::oauth::error::{ErrorCode, OAuthError};

/// Readers see what is on disk: a change becomes visible, and its request completes, once it is written.
pub(crate) struct Ledger {
    current: RwLock<Arc<Records>>,
    /// One change at a time; guards only the order of writes.
    changing: Mutex<()>,
    file: Option<StateFile>,
}

impl Ledger {
    pub(crate) fn new(records: Records, file: Option<StateFile>) -> Self {
        Self { current: RwLock::new(Arc::new(records)), changing: Mutex::new(()), file }
    }

    pub(crate) fn records(&self) -> Arc<Records> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies `change`, writes the result, then makes it visible. A change that fails writes nothing.
    ///
    /// Runs to completion on the blocking pool even if the future is dropped: a client that
    /// disconnects leaves no half-applied change.
    ///
    /// Fails with the error of `change`, or with `server_error` when the file cannot be written.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Records) -> Result<T, OAuthError> + Send + 'static,
    ) -> Result<T, OAuthError> {
        let ledger = Arc::clone(self);
        task::spawn_blocking(move || ledger.change_now(change))
            .await
            .unwrap_or_else(|stopped| Err(unwritable(&io::Error::other(stopped))))
    }

    fn change_now<T>(
        &self,
        change: impl FnOnce(&mut Records) -> Result<T, OAuthError>,
    ) -> Result<T, OAuthError> {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Records::clone(&self.records());
        let outcome = change(&mut next)?;
        if let Some(file) = &self.file {
            file.write(&next).map_err(|reason| unwritable(&reason))?;
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(outcome)
    }
}

fn unwritable(reason: &io::Error) -> OAuthError {
    tracing::error!(%reason, "cannot write the local identity");
    OAuthError::new(
        ErrorCode::ServerError,
        "the local Scalekit could not write its state file: see the server's log",
    )
}
