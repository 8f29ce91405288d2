//! The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6).

use super::response::{LOGIN_LIFETIME, TokenResponse, for_person};
use crate::environment::Environment;
use crate::oauth::error::OAuthError;
use crate::oauth::parameters::Parameters;
use crate::oauth::scope::OFFLINE_ACCESS;
use crate::state::fingerprint::Fingerprint;
use crate::state::records::{Login, RegisteredClient};
use crate::state::refresh_token::RefreshToken;

/// Exchanges a code for tokens. A code is used up by the attempt, also by one that fails. A code that is
/// used again revokes the refresh token that was issued from it (RFC 6749 section 4.1.2). Access
/// tokens are self-contained: no revocation reaches them, and they expire by themselves.
///
/// Fails with `invalid_grant` for a code that is unknown, used, expired, of another client, or
/// presented with another redirect URI or the wrong verifier.
pub(super) async fn grant(
    environment: &Environment,
    client: &RegisteredClient,
    parameters: &Parameters,
) -> Result<TokenResponse, OAuthError> {
    let code = parameters.required("code")?;
    let redirect_uri = parameters.required("redirect_uri")?;
    let verifier = parameters.required("code_verifier")?;

    let now = environment.now();
    let fingerprint = Fingerprint::of(code);
    // One exchange at a time: a replay finds the login of the first one.
    let _turn = environment.exchanging.lock().await;
    if environment.ledger.records().has_login_from(&fingerprint) {
        tracing::warn!(client_id = client.client_id, "an authorization code was used twice");
        environment
            .ledger
            .change(move |records| {
                records.remove_login_from(&fingerprint);
                Ok(())
            })
            .await?;
        return Err(unusable());
    }
    let authorized = environment
        .codes
        .redeem(code, now)
        .filter(|authorized| authorized.grant.client_id == client.client_id)
        .ok_or_else(unusable)?;
    if authorized.redirect_uri != redirect_uri {
        return Err(OAuthError::invalid_grant(
            "`redirect_uri` differs from the authorization request",
        ));
    }
    if !authorized.challenge.matches(verifier) {
        return Err(OAuthError::invalid_grant("`code_verifier` does not match `code_challenge`"));
    }

    let grant = authorized.grant;
    let refresh_token = grant.scopes.contains(OFFLINE_ACCESS).then(RefreshToken::first);
    if let Some(refresh_token) = &refresh_token {
        let login = Login {
            refresh_token: refresh_token.store(),
            code: Some(fingerprint),
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
    Ok(for_person(environment, &grant, &grant.scopes, refresh_token.as_ref()))
}

fn unusable() -> OAuthError {
    OAuthError::invalid_grant("the code is unknown, expired, or has been used")
}
