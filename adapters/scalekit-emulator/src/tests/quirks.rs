//! The environment with quirks. The other tests are about the default.

mod client_documents;
mod clients;
mod discovery;
mod document_host;
mod keys;
mod tokens;

use axum::http::StatusCode;
use serde_json::json;

use super::support::World;
use crate::{IssuerClaim, KeysEndpoint, Quirks};

#[tokio::test]
async fn an_environment_starts_without_quirks() {
    let world = World::new().await;

    assert_eq!(world.handle.quirks(), Quirks::default());
}

#[tokio::test]
async fn setting_quirks_replaces_those_that_were_set_before() {
    let world = World::new().await;
    let failing = Quirks { keys: KeysEndpoint::Failing(500), ..Quirks::default() };
    let foreign = Quirks { issuer: IssuerClaim::Foreign, ..Quirks::default() };

    world.handle.set_quirks(failing);
    world.handle.set_quirks(foreign.clone());

    assert_eq!(world.handle.quirks(), foreign);
    assert_eq!(world.get("/keys").await.json(), world.handle.public_jwks());
}

#[tokio::test]
async fn no_request_sets_quirks() {
    let world = World::new().await;
    let odd = json!({ "issuer": "foreign", "quirks": { "issuer": "foreign" } });

    let refused = world.post_json("/emulator/token", &odd).await;
    let absent = world.post_json("/emulator/quirks", &odd).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    assert_eq!(world.handle.quirks(), Quirks::default());
}
