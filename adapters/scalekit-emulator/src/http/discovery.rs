//! Metadata and keys.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::behavior::Behavior as _;
use crate::environment::SharedEnvironment;

pub(crate) async fn authorization_server(State(environment): State<SharedEnvironment>) -> Response {
    Json(environment.resource_metadata()).into_response()
}

pub(crate) async fn openid_configuration(State(environment): State<SharedEnvironment>) -> Response {
    Json(environment.openid_configuration()).into_response()
}

pub(crate) async fn keys(State(environment): State<SharedEnvironment>) -> Response {
    match environment.behavior.keys_response().await {
        Some(response) => response,
        None => Json(environment.jwks()).into_response(),
    }
}
