//! What an orchestrator asks, under any host and without a token.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::jsonrpc::{Reply, no_store};
use crate::readiness::{Draining, Readiness};

/// The path of the probe that the process lives.
pub(crate) const HEALTH: &str = "/healthz";

#[derive(Serialize)]
struct Health {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting_for: Vec<&'static str>,
}

/// `GET /healthz`: the process lives. Independent of everything it needs, because restarting it would not
/// help.
pub(crate) async fn live() -> Response {
    answer(StatusCode::OK, &Health { status: "ok", waiting_for: Vec::new() })
}

/// `GET /readyz`: requests can be served. The reasons why not are logged and not answered, as they may
/// reveal internals.
pub(crate) async fn ready(State(dependencies): State<Arc<[Arc<dyn Readiness>]>>) -> Response {
    let mut waiting_for = Vec::new();
    for dependency in &*dependencies {
        if let Err(reason) = dependency.ready().await {
            let dependency = dependency.name();
            if dependency == Draining::NAME {
                tracing::debug!(%reason, "not ready");
            } else {
                tracing::warn!(dependency, %reason, "not ready");
            }
            waiting_for.push(dependency);
        }
    }
    if waiting_for.is_empty() {
        answer(StatusCode::OK, &Health { status: "ready", waiting_for })
    } else {
        answer(StatusCode::SERVICE_UNAVAILABLE, &Health { status: "not ready", waiting_for })
    }
}

fn answer(status: StatusCode, health: &Health) -> Response {
    Reply::json(status, health).with_header(no_store()).into_response()
}
