use std::fmt;
use std::sync::Arc;

use crate::environment::Environment;
use crate::token_request::TokenRequest;

/// Access to a running environment from the same process. A clone is of the same environment.
#[derive(Clone)]
pub struct EmulatorHandle {
    pub(crate) environment: Arc<Environment>,
}

impl EmulatorHandle {
    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn environment_url(&self) -> String {
        self.environment.urls.environment.clone()
    }

    /// A token of the user with every scope of the resource, valid for an hour.
    pub fn token_request(&self) -> TokenRequest {
        self.environment.token_request()
    }

    /// A signed access token, issued at the time of the clock.
    pub fn mint(&self, request: &TokenRequest) -> String {
        self.environment.mint(request, None)
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
            .field("environment_url", &self.environment.urls.environment)
            .finish_non_exhaustive()
    }
}
