//! The refresh token grant, with rotation (RFC 6749 section 6, RFC 9700 section 4.14).

use super::response::{LOGIN_LIFETIME, TokenResponse, for_person};
use crate::environment::Environment;
use crate::identifiers::unguessable;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::parameters::Parameters;
use crate::oauth::scope::Scopes;
use crate::state::fingerprint::Fingerprint;
use crate::state::records::{Login, RegisteredClient};

/// Exchanges a refresh token for an access token and the next refresh token, which is for the whole
/// grant even if this access token is for less.
///
/// Fails with `invalid_grant` for a token that is unknown, used, expired or of another client, and with
/// `invalid_scope` for more than was granted; the refresh token then stays valid.
pub(super) async fn grant(
    environment: &Environment,
    client: &RegisteredClient,
    parameters: &Parameters,
) -> Result<TokenResponse, OAuthError> {
    let current = Fingerprint::of(parameters.required("refresh_token")?);
    let requested = parameters.optional("scope")?.map(Scopes::parse);
    let client_id = client.client_id.clone();
    let next = unguessable();
    let next_fingerprint = Fingerprint::of(&next);
    let now = environment.now();

    let (grant, scopes) = environment
        .ledger
        .change(move |records| {
            let Some(login) = records.login(&current, &client_id, now) else {
                return Err(OAuthError::invalid_grant(
                    "the refresh token is unknown, expired, or has been used",
                ));
            };
            let grant = login.grant.clone();
            let scopes = requested.unwrap_or_else(|| grant.scopes.clone());
            if !scopes.is_within(&grant.scopes) {
                return Err(OAuthError::new(
                    ErrorCode::InvalidScope,
                    "`scope` exceeds what was granted",
                ));
            }
            records.remove_login(&current, &client_id);
            let next = Login {
                refresh_token: next_fingerprint,
                grant: grant.clone(),
                expires_at: now.saturating_add(LOGIN_LIFETIME),
            };
            records.add_login(next, now);
            Ok((grant, scopes))
        })
        .await?;
    Ok(for_person(environment, &grant, &scopes, Some(next)))
}
