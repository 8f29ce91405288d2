use axum::http::StatusCode;
use serde_json::json;

use super::support::{Reply, World, token_path};

async fn ask(world: &World, (client, secret): &(String, String), scope: &str) -> Reply {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_secret", secret),
        ("scope", scope),
    ];
    world.post_form(&token_path(), &form).await
}

#[tokio::test]
async fn a_machine_gets_a_token_of_its_own_without_organization_or_session() {
    let world = World::new().await;
    let machine = world.confidential_client().await;

    let reply = ask(&world, &machine, "").await;

    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.json().get("refresh_token").is_none());
    let claims = reply.claims();
    assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(machine.0), &json!(machine.0)));
    assert_eq!(claims["scope"], "todo:read todo:write");
    for absent in ["oid", "sid", "roles"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn a_machine_gets_scopes_of_the_resource_only() {
    let world = World::new().await;
    let machine = world.confidential_client().await;

    let some = ask(&world, &machine, "todo:read offline_access email").await;
    assert_eq!(some.text("scope"), "todo:read");

    ask(&world, &machine, "offline_access").await.is_refused_with(400, "invalid_scope");
}

#[tokio::test]
async fn a_public_client_cannot_act_for_itself() {
    let world = World::new().await;
    let public = (world.public_client().await, String::new());

    ask(&world, &public, "").await.is_refused_with(400, "unauthorized_client");
}
