//! Metadata and keys.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::behavior::Behavior as _;
use crate::environment::SharedEnvironment;
use crate::json::JsonBody;

pub(crate) async fn authorization_server(State(environment): State<SharedEnvironment>) -> Response {
    JsonBody(environment.resource_metadata()).into_response()
}

pub(crate) async fn openid_configuration(State(environment): State<SharedEnvironment>) -> Response {
    JsonBody(environment.openid_configuration()).into_response()
}

pub(crate) async fn keys(State(environment): State<SharedEnvironment>) -> Response {
    match environment.behavior.keys_response().await {
        Some(response) => response,
        None => JsonBody(environment.jwks()).into_response(),
    }
}
