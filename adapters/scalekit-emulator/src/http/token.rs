//! The token endpoint (RFC 6749 section 3.2).

mod authorization_code;
mod client_credentials;
mod refresh_token;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{Shared, client_authentication, form};
use crate::{
    environment::Environment,
    identity::TokenRequest,
    oauth::{
        error::{ErrorCode, OAuthError},
        scope::Scopes,
    },
    state::records::Grant,
};

/// Seconds for which an unused refresh token stays good; each use starts anew.
const LOGIN_LIFETIME: i64 = 30 * 24 * 3600;

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

pub(crate) async fn token(
    State(environment): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match grant(&environment, &headers, &body).await {
        Ok(tokens) => {
            let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
            (no_store, Json(tokens)).into_response()
        }
        Err(error) => {
            tracing::debug!(error = error.code.as_str(), "refused a token request");
            client_authentication::refusal(error, &headers)
        }
    }
}

async fn grant(
    environment: &Environment,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<TokenResponse, OAuthError> {
    let parameters = form::read(headers, body)?;
    let client = client_authentication::authenticate(environment, headers, &parameters)?;
    environment.server_url.check(&parameters)?;
    match parameters.required("grant_type")? {
        "authorization_code" => authorization_code::grant(environment, &client, &parameters).await,
        "refresh_token" => refresh_token::grant(environment, &client, &parameters).await,
        "client_credentials" => client_credentials::grant(environment, &client, &parameters),
        _ => Err(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "`grant_type` is authorization_code, refresh_token or client_credentials",
        )),
    }
}

/// An access token for a person, of `scopes` out of those of the grant, as far as the person may
/// have them at this moment.
fn for_person(
    environment: &Environment,
    grant: &Grant,
    scopes: &Scopes,
    refresh_token: Option<String>,
) -> TokenResponse {
    let scopes = environment.permitted(scopes);
    let request = TokenRequest {
        subject: grant.subject.clone(),
        organization: grant.organization.clone(),
        client_id: grant.client_id.clone(),
        scopes: scopes.to_names(),
        expires_in: environment.token_lifetime(),
    };
    TokenResponse {
        access_token: environment.mint(&request, Some(&grant.session)),
        token_type: "Bearer",
        expires_in: request.expires_in,
        scope: scopes.to_string(),
        refresh_token,
    }
}
