//! Revocation (RFC 7009) of refresh tokens.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};

use super::{Shared, client_authentication, form};
use crate::{
    environment::Environment,
    oauth::error::{ErrorCode, OAuthError},
    state::fingerprint::Fingerprint,
};

pub(crate) async fn revoke(
    State(environment): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match forget(&environment, &headers, &body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => client_authentication::refusal(error, &headers),
    }
}

/// An unknown token is as good as revoked (RFC 7009 section 2.2). A public client is refused, as
/// Scalekit refuses it: this endpoint wants a secret.
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
    let token = Fingerprint::of(parameters.required("token")?);
    environment
        .ledger
        .change(move |records| {
            records.remove_login(&token, &client.client_id);
            Ok(())
        })
        .await
}
