//! The client credentials grant (RFC 6749 section 4.4): a machine that acts for itself.

use super::TokenResponse;
use crate::{
    environment::Environment,
    identity::TokenRequest,
    oauth::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        scope::Scopes,
    },
    state::records::RegisteredClient,
};

/// # Errors
///
/// `unauthorized_client` for a client without a secret, `invalid_scope` where nothing that was
/// asked for belongs to the resource.
pub(super) fn grant(
    environment: &Environment,
    client: &RegisteredClient,
    parameters: &Parameters,
) -> Result<TokenResponse, OAuthError> {
    if client.secret.is_none() {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "client_credentials is for clients that have registered for a secret",
        ));
    }
    let of_the_resource = Scopes::of_the_resource();
    let scopes = match parameters.optional("scope")? {
        None => of_the_resource,
        Some(asked) => Scopes::parse(asked).intersection(&of_the_resource),
    };
    if scopes.is_empty() {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "`scope` names no scope of the resource",
        ));
    }
    let lifetime = environment.token_lifetime();
    let request = TokenRequest::for_machine(&client.client_id, &scopes, lifetime);
    Ok(TokenResponse {
        access_token: environment.mint(&request, None),
        token_type: "Bearer",
        expires_in: request.expires_in,
        scope: scopes.to_string(),
        refresh_token: None,
    })
}
