//! Tokens for the command line of the program. Scalekit has no such endpoint.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::environment::SharedEnvironment;
use crate::json::JsonBody;
use crate::oauth::error::OAuthError;
use crate::oauth::scope::Scopes;
use crate::token_request::TokenRequest;

/// What differs from [`Environment::token_request`](crate::environment::Environment::token_request).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRequest {
    /// Any scopes, space-separated, unknown ones included; may be empty.
    scope: Option<String>,
    subject: Option<String>,
    /// Empty for a token without an organization.
    organization: Option<String>,
    /// Seconds; negative for a token that has expired.
    expires_in: Option<i64>,
}

/// Mints any token, so it must not be reachable for web pages: JSON only, no CORS, loopback hosts only.
/// Programs on this machine could read the key from the state file as well.
pub(crate) async fn mint(
    State(environment): State<SharedEnvironment>,
    request: Result<Json<CommandRequest>, JsonRejection>,
) -> Response {
    let Json(request) = match request {
        Ok(request) => request,
        Err(rejection) => {
            let error = OAuthError::invalid_request(rejection.body_text());
            return (rejection.status(), JsonBody(error)).into_response();
        }
    };
    let default = environment.token_request();
    let request = TokenRequest {
        subject: request.subject.unwrap_or(default.subject),
        organization: request
            .organization
            .or(default.organization)
            .filter(|organization| !organization.is_empty()),
        client_id: default.client_id,
        scopes: request.scope.map_or(default.scopes, |scope| Scopes::parse(&scope).to_names()),
        expires_in: request.expires_in.unwrap_or(default.expires_in),
    };
    let body = json!({ "access_token": environment.mint(&request, None) });
    ([(header::CACHE_CONTROL, "no-store")], JsonBody(body)).into_response()
}
