use axum::http::StatusCode;
use serde_json::json;

use super::support::{Reply, World, token_path};

async fn request(world: &World, (client, secret): &(String, String), scope: &str) -> Reply {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret),
        ("scope", scope),
    ];
    world.post_form(&token_path(), &form).await
}

#[tokio::test]
async fn a_machine_gets_a_token_without_organization_or_session() {
    let world = World::new().await;
    let machine = world.confidential_client().await;

    let reply = request(&world, &machine, "").await;

    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.json().get("refresh_token").is_none());
    let claims = reply.claims();
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(machine.0), &json!(machine.0)));
    assert_eq!(claims["scope"], "notes:read notes:write");
    for absent in ["oid", "sid", "roles"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn a_machine_gets_scopes_of_the_resource_only() {
    let world = World::new().await;
    let machine = world.confidential_client().await;

    let some = request(&world, &machine, "notes:read offline_access email").await;
    assert_eq!(some.text("scope"), "notes:read");

    request(&world, &machine, "offline_access").await.has_error(400, "invalid_scope");
}

#[tokio::test]
async fn a_public_client_gets_no_token_of_its_own() {
    let world = World::new().await;
    let public = (world.public_client().await, String::new());

    request(&world, &public, "").await.has_error(400, "unauthorized_client");
}
