//! Tokens for the command `todo-mcp token`. Scalekit has nothing like it.

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use crate::{
    identity::TokenRequest,
    oauth::{error::OAuthError, scope::Scopes},
};

/// What may differ from [`TokenRequest::default`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRequest {
    /// Any scopes, space-separated: a test may want one that nobody knows, or none.
    scope: Option<String>,
    subject: Option<String>,
    /// Empty for a token without an organization.
    organization: Option<String>,
    /// Seconds; negative for a token that has expired.
    expires_in: Option<i64>,
}

/// Mints whatever token is asked for, and so relies on being out of reach of web pages: JSON only,
/// no CORS, loopback hosts only. Programs of this machine have the state file's protection at most.
pub(crate) async fn mint(
    State(environment): State<Shared>,
    request: Result<Json<CommandRequest>, JsonRejection>,
) -> Response {
    let Json(request) = match request {
        Ok(request) => request,
        Err(rejection) => {
            let error = OAuthError::invalid_request(rejection.body_text());
            return (rejection.status(), Json(error)).into_response();
        }
    };
    let default = TokenRequest::default();
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
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
