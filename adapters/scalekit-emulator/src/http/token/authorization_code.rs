//! The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

use super::{LOGIN_LIFETIME, TokenResponse, for_person};
use crate::{
    environment::Environment,
    identifiers::unguessable,
    oauth::{error::OAuthError, parameters::Parameters, scope::OFFLINE_ACCESS},
    state::{
        fingerprint::Fingerprint,
        records::{Login, RegisteredClient},
    },
};

/// Exchanges a code for tokens. A code that was shown is spent, whatever comes of it.
///
/// # Errors
///
/// `invalid_grant` for a code that is unknown, used, expired, of another client, or presented with
/// another redirect URI or the wrong verifier.
pub(super) async fn grant(
    environment: &Environment,
    client: &RegisteredClient,
    parameters: &Parameters,
) -> Result<TokenResponse, OAuthError> {
    let code = parameters.required("code")?;
    let redirect_uri = parameters.required("redirect_uri")?;
    let verifier = parameters.required("code_verifier")?;

    let now = environment.now();
    let authorized = environment
        .codes
        .take(code, now)
        .filter(|authorized| authorized.grant.client_id == client.client_id)
        .ok_or_else(|| {
            OAuthError::invalid_grant("the code is unknown, expired, or has been used")
        })?;
    if authorized.redirect_uri != redirect_uri {
        return Err(OAuthError::invalid_grant(
            "`redirect_uri` is not that of the authorization request",
        ));
    }
    if !authorized.challenge.is_met_by(verifier) {
        return Err(OAuthError::invalid_grant("`code_verifier` does not fit `code_challenge`"));
    }

    let grant = authorized.grant;
    let refresh_token = grant.scopes.contains(OFFLINE_ACCESS).then(unguessable);
    if let Some(refresh_token) = &refresh_token {
        let login = Login {
            refresh_token: Fingerprint::of(refresh_token),
            grant: grant.clone(),
            expires_at: now.saturating_add(LOGIN_LIFETIME),
        };
        environment
            .ledger
            .change(move |records| {
                records.add_login(login, now);
                Ok(())
            })
            .await?;
    }
    Ok(for_person(environment, &grant, &grant.scopes, refresh_token))
}
