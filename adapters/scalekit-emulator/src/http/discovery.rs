//! Metadata and keys.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

use super::Shared;
use crate::{
    metadata::{AuthorizationServerMetadata, OpenidConfiguration},
    quirks::KeysEndpoint,
};

pub(crate) async fn authorization_server(
    State(environment): State<Shared>,
) -> Json<AuthorizationServerMetadata> {
    Json(AuthorizationServerMetadata::of(&environment))
}

pub(crate) async fn openid_configuration(
    State(environment): State<Shared>,
) -> Json<OpenidConfiguration> {
    Json(OpenidConfiguration::of(&environment))
}

/// The key set, or what the quirks say.
pub(crate) async fn keys(State(environment): State<Shared>) -> Response {
    match environment.quirks.keys_endpoint().await {
        KeysEndpoint::Normal | KeysEndpoint::Held => Json(environment.jwks()).into_response(),
        KeysEndpoint::Failing(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reason =
                if status == StatusCode::TOO_MANY_REQUESTS { "RATE_LIMITED" } else { "INTERNAL" };
            (status, Json(json!({ "error_code": reason }))).into_response()
        }
        KeysEndpoint::Empty => Json(json!({ "keys": [] })).into_response(),
        KeysEndpoint::NotJson => Html("<!doctype html><title>Log in</title>").into_response(),
        KeysEndpoint::Malformed => Json(json!({ "keys": "soon" })).into_response(),
    }
}
