//! What an orchestrator asks, on any host name and without a token.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::endpoint::Service;

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting_for: Vec<&'static str>,
}

/// The process lives. It says nothing about what it needs: restarting would not help.
pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, &Health { status: "ok", waiting_for: Vec::new() })
}

/// Requests can be served. The reasons why not are in the log, as they may name internals.
pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Response {
    let mut waiting_for = Vec::new();
    for dependency in &service.readiness {
        if let Err(reason) = dependency.ready().await {
            tracing::warn!(dependency = dependency.name(), %reason, "not ready");
            waiting_for.push(dependency.name());
        }
    }
    if waiting_for.is_empty() {
        answer(StatusCode::OK, &Health { status: "ready", waiting_for })
    } else {
        answer(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "not ready", waiting_for })
    }
}

fn answer(status: StatusCode, health: &Health) -> Response {
    let mut response = Response::new(Body::from(serde_json::to_vec(health).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
