//! The five tools on the official Rust SDK, `rmcp`.
//!
//! It has every advantage that the library offers: no sessions, JSON instead of event streams, one
//! handler for all requests, `TCP_NODELAY`. It also does less than todo-mcp: it keeps todos in memory,
//! writes no log, and verifies tokens only in the form that is given an issuer.

mod by_hand;
mod store;
mod with_macros;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rmcp::ServerHandler;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use todo_tests::issuer::RESOURCE_ID;

use self::by_hand::ByHand;
use self::with_macros::WithMacros;
use crate::{Result, listen, runtime};

/// Serves `POST /mcp`. The form is `by-hand`, with `ServerHandler` implemented directly, or `macros`, as
/// its documentation teaches, with a router that is built once.
pub(crate) fn serve(form: &str, port: &str, issuer: Option<&str>) -> Result<()> {
    runtime()?.block_on(async {
        let router = match form {
            "by-hand" => router(ByHand::default()),
            "macros" => router(WithMacros::default()),
            _ => return Err("the form is `by-hand` or `macros`".into()),
        };
        let router = match issuer {
            None => router,
            Some(issuer) => {
                let verifier = Arc::new(Verifier::new(issuer).await?);
                router.layer(middleware::from_fn_with_state(verifier, verify))
            }
        };
        let listener = listen(port).await?.tap_io(|stream| {
            // Without it the server is slower, which the figures would show.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

fn router(handler: impl ServerHandler) -> Router {
    let handler = Arc::new(handler);
    let service = StreamableHttpService::new(
        // Called for every request: a clone of the handler itself would copy its router.
        move || Ok(Arc::clone(&handler)),
        Arc::new(NeverSessionManager::default()),
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true),
    );
    Router::new().route_service("/mcp", service)
}

/// Verifies every token in full: what a server does that caches the keys and not the results.
struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    async fn new(issuer: &str) -> Result<Self> {
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
        let keys = http.get(format!("{issuer}/keys")).send().await?.text().await?;
        let keys: JwkSet = serde_json::from_str(&keys)?;
        let key = DecodingKey::from_jwk(keys.keys.first().ok_or("no keys")?)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[RESOURCE_ID]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        Ok(Self { key, validation })
    }

    fn accepts(&self, request: &Request) -> bool {
        let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        header.and_then(|value| value.strip_prefix("Bearer ")).is_some_and(|token| {
            let decoded =
                jsonwebtoken::decode::<serde_json::Value>(token, &self.key, &self.validation);
            decoded.is_ok_and(|token| token.claims["scope"].is_string())
        })
    }
}

async fn verify(State(verifier): State<Arc<Verifier>>, request: Request, next: Next) -> Response {
    if verifier.accepts(&request) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}
