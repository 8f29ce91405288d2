//! The refresh token grant, with rotation (RFC 6749 section 6, RFC 9700 section 4.14.2).

use super::response::{LOGIN_LIFETIME, TokenResponse, for_person};
use crate::environment::Environment;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oauth::scope::Scopes;
use crate::state::records::{Login, RegisteredClient};
use crate::state::refresh_token::RefreshToken;

/// Exchanges a refresh token for an access token and the next refresh token, which is for the whole
/// grant even if this access token is for less.
///
/// Fails with `invalid_grant` for a token that is unknown, used, expired or of another client, and with
/// `invalid_scope` for more than was granted; the refresh token then stays valid. A used one revokes the
/// current one: either the sender of this one or the holder of that one is a thief.
pub(super) async fn grant(
    environment: &Environment,
    client: &RegisteredClient,
    parameters: &Parameters,
) -> Result<TokenResponse, OAuthError> {
    let token = RefreshToken::parse(parameters.required("refresh_token")?);
    let requested = parameters.optional("scope")?.map(Scopes::parse);
    let client_id = client.client_id.clone();
    let next = token.next();
    let stored = next.store();
    let now = environment.now();

    let unusable =
        || OAuthError::invalid_grant("the refresh token is unknown, expired, or has been used");
    let outcome = environment
        .ledger
        .change(move |records| {
            let login = records.login(&token, &client_id, now).ok_or_else(unusable)?;
            if !login.refresh_token.is(&token) {
                records.remove_login(&token, &client_id);
                return Ok(None);
            }
            let code = login.code.clone();
            let grant = login.grant.clone();
            let scopes = requested.unwrap_or_else(|| grant.scopes.clone());
            if !scopes.is_within(&grant.scopes) {
                return Err(OAuthError::new(
                    ErrorCode::InvalidScope,
                    "`scope` exceeds what was granted",
                ));
            }
            records.remove_login(&token, &client_id);
            let next = Login {
                refresh_token: stored,
                code,
                grant: grant.clone(),
                expires_at: now.saturating_add(LOGIN_LIFETIME),
            };
            records.add_login(next, now);
            Ok(Some((grant, scopes)))
        })
        .await?;
    let (grant, scopes) = outcome.ok_or_else(|| {
        tracing::warn!(client_id = client.client_id, "a refresh token was used twice");
        unusable()
    })?;
    Ok(for_person(environment, &grant, &scopes, Some(&next)))
}
