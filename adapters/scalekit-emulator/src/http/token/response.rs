//! The successful response, and the token of a person.

use serde::Serialize;

use crate::behavior::Behavior as _;
use crate::environment::Environment;
use crate::oauth::scope::Scopes;
use crate::state::records::Grant;
use crate::state::refresh_token::RefreshToken;
use crate::token_request::TokenRequest;

/// Seconds that an unused refresh token is valid; each use starts again.
pub(super) const LOGIN_LIFETIME: i64 = 30 * 24 * 3600;

/// RFC 6749 section 5.1.
#[derive(Serialize)]
pub(super) struct TokenResponse {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: i64,
    pub(super) scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
}

/// An access token for a person with `scopes`, a part of those of the grant, as far as the person may
/// have them at this moment.
pub(super) fn for_person(
    environment: &Environment,
    grant: &Grant,
    scopes: &Scopes,
    refresh_token: Option<&RefreshToken>,
) -> TokenResponse {
    let scopes = environment.permitted(scopes);
    let request = TokenRequest {
        subject: grant.subject.clone(),
        organization: grant.organization.clone(),
        client_id: grant.client_id.clone(),
        scopes: scopes.to_names(),
        expires_in: environment.behavior.token_lifetime(),
    };
    TokenResponse {
        access_token: environment.mint(&request, Some(&grant.session)),
        token_type: "Bearer",
        expires_in: request.expires_in,
        scope: scopes.to_string(),
        refresh_token: refresh_token.map(ToString::to_string),
    }
}
