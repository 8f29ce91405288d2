//! How an authorization request ends at the client.

use url::Url;

use super::error::OAuthError;
use super::redirect_uri::RedirectUri;

/// Where the authorization response goes, and what it always carries.
/// Exists only for a redirect URI that the client has registered.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationResponse {
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) state: Option<String>,
    /// RFC 9207: identifies the responding server to the client.
    pub(crate) issuer: String,
}

impl AuthorizationResponse {
    /// RFC 6749 section 4.1.2.
    pub(crate) fn code(&self, code: &str) -> Url {
        self.with(&[("code", code)])
    }

    /// RFC 6749 section 4.1.2.1.
    pub(crate) fn error(&self, error: &OAuthError) -> Url {
        self.with(&[("error", error.code.as_str()), ("error_description", &error.description)])
    }

    fn with(&self, outcome: &[(&str, &str)]) -> Url {
        let state = self.state.as_deref().map(|state| ("state", state));
        let parameters: Vec<_> =
            outcome.iter().copied().chain(state).chain([("iss", self.issuer.as_str())]).collect();
        self.redirect_uri.with(&parameters)
    }
}
