//! Revocation (RFC 7009) of refresh tokens.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{client_authentication, form};
use crate::environment::{Environment, SharedEnvironment};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::state::refresh_token::RefreshToken;

pub(crate) async fn revoke(
    State(environment): State<SharedEnvironment>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match forget(&environment, &headers, &body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => client_authentication::error_response(error, &headers),
    }
}

/// An unknown token counts as revoked (RFC 7009 section 2.2). A public client is rejected, as by
/// Scalekit: this endpoint requires a secret.
async fn forget(
    environment: &Environment,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), OAuthError> {
    let parameters = form::read(headers, body)?;
    let client = client_authentication::authenticate(environment, headers, &parameters)?;
    if client.secret.is_none() {
        return Err(OAuthError::new(
            ErrorCode::InvalidClient,
            "revocation needs a client that has a secret",
        ));
    }
    let token = RefreshToken::parse(parameters.required("token")?);
    environment
        .ledger
        .change(move |records| {
            records.remove_login(&token, &client.client_id);
            Ok(())
        })
        .await
}
