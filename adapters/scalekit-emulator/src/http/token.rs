//! The token endpoint (RFC 6749 section 3.2).

mod authorization_code;
mod client_credentials;
mod refresh_token;
mod response;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use response::TokenResponse;

use super::{client_authentication, form};
use crate::environment::{Environment, SharedEnvironment};
use crate::json::JsonBody;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::state::records::Records;

pub(crate) async fn token(
    State(environment): State<SharedEnvironment>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match grant(&environment, &headers, &body).await {
        Ok(tokens) => {
            let no_store = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
            (no_store, JsonBody(tokens)).into_response()
        }
        Err(error) => {
            tracing::debug!(error = error.code.as_str(), "token request rejected");
            client_authentication::error_response(error, &headers)
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
    environment.urls.server.check(&parameters)?;
    let response = match parameters.required("grant_type")? {
        "authorization_code" => authorization_code::grant(environment, &client, &parameters).await,
        "refresh_token" => refresh_token::grant(environment, &client, &parameters).await,
        "client_credentials" => client_credentials::grant(environment, &client, &parameters),
        _ => Err(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "`grant_type` is authorization_code, refresh_token or client_credentials",
        )),
    }?;
    if !client.is_used {
        let mark = move |records: &mut Records| {
            records.mark_used(&client.client_id);
            Ok(())
        };
        environment.ledger.change(mark).await?;
    }
    Ok(response)
}
