//! The client credentials grant (RFC 6749 section 4.4): a machine that acts on its own behalf.

use super::response::TokenResponse;
use crate::behavior::Behavior as _;
use crate::environment::Environment;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oauth::scope::Scopes;
use crate::state::records::RegisteredClient;
use crate::token_request::TokenRequest;

/// Fails with `unauthorized_client` for a client without a secret, and with `invalid_scope` if no
/// requested scope belongs to the resource.
pub(super) fn grant(
    environment: &Environment,
    client: &RegisteredClient,
    parameters: &Parameters,
) -> Result<TokenResponse, OAuthError> {
    if client.secret.is_none() {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "client_credentials requires a client with a secret",
        ));
    }
    let of_the_resource = environment.scopes.of_the_resource();
    let scopes = match parameters.optional("scope")? {
        None => of_the_resource,
        Some(requested) => Scopes::parse(requested).intersection(&of_the_resource),
    };
    if scopes.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "`scope` names no scope of the resource",
        ));
    }
    let lifetime = environment.behavior.token_lifetime();
    let request = TokenRequest::for_machine(&client.client_id, &scopes, lifetime);
    Ok(TokenResponse {
        access_token: environment.mint(&request, None),
        token_type: "Bearer",
        expires_in: request.expires_in,
        scope: scopes.to_string(),
        refresh_token: None,
    })
}
