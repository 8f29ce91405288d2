//! An authorization on its way: first waiting for a person, then for the client.

use super::records::Grant;
use crate::oauth::{
    authorization_response::AuthorizationResponse, pkce::CodeChallenge, scope::Scopes,
};

/// A request that has been checked, and waits for a person to decide.
#[derive(Clone, Debug)]
pub(crate) struct PendingAuthorization {
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) challenge: CodeChallenge,
    pub(crate) response: AuthorizationResponse,
}

/// What an authorization code stands for (RFC 6749 section 4.1.2).
#[derive(Clone, Debug)]
pub(crate) struct AuthorizedCode {
    pub(crate) grant: Grant,
    pub(crate) challenge: CodeChallenge,
    /// As it stood in the authorization request.
    pub(crate) redirect_uri: String,
}
