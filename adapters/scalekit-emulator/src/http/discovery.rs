//! Metadata and keys.

use axum::{Json, extract::State};
use serde_json::Value;

use super::Shared;
use crate::metadata::{AuthorizationServerMetadata, OpenidConfiguration};

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

pub(crate) async fn keys(State(environment): State<Shared>) -> Json<Value> {
    Json(environment.jwks())
}
