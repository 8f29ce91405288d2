use std::sync::Arc;

use axum::http::{StatusCode, header};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::tests::support::{World, part};
use crate::{ForeignKey, KeysEndpoint, Quirks};

async fn published(world: &World) -> Vec<Value> {
    world.get("/keys").await.json()["keys"].as_array().unwrap().clone()
}

/// Whether the published key with the `kid` of the token has signed it.
async fn is_verified(world: &World, token: &str) -> bool {
    let kid = part(token, 0)["kid"].clone();
    let Some(key) = published(world).await.into_iter().find(|key| key["kid"] == kid) else {
        return false;
    };
    let key = DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(key).unwrap()).unwrap();
    let mut signature_only = Validation::new(Algorithm::RS256);
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    jsonwebtoken::decode::<Value>(token, &key, &signature_only).is_ok()
}

#[tokio::test]
async fn after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies() {
    let world = World::new().await;
    let before = world.handle.mint(&world.handle.token_request());

    world.handle.rotate_key().await.unwrap();
    let after = world.handle.mint(&world.handle.token_request());

    assert_ne!(part(&before, 0)["kid"], part(&after, 0)["kid"]);
    assert_eq!(published(&world).await.len(), 2);
    assert_eq!(published(&world).await[1]["kid"], part(&after, 0)["kid"]);
    assert!(is_verified(&world, &before).await);
    assert!(is_verified(&world, &after).await);
}

#[tokio::test]
async fn a_retired_key_verifies_nothing() {
    let world = World::new().await;
    let before = world.handle.mint(&world.handle.token_request());
    world.handle.rotate_key().await.unwrap();
    let after = world.handle.mint(&world.handle.token_request());

    world.handle.retire_old_keys();

    assert_eq!(published(&world).await.len(), 1);
    assert!(!is_verified(&world, &before).await);
    assert!(is_verified(&world, &after).await);
}

#[tokio::test]
async fn foreign_keys_are_listed_before_the_one_that_signs() {
    let world = World::new().await;
    let token = world.handle.mint(&world.handle.token_request());
    let foreign_keys = vec![
        ForeignKey::EllipticCurve,
        ForeignKey::RsaForEncryption,
        ForeignKey::MalformedRsa,
        ForeignKey::Symmetric,
    ];

    world.handle.set_quirks(Quirks { foreign_keys, ..Quirks::default() });

    let keys = published(&world).await;
    let kinds: Vec<_> = keys.iter().map(|key| (&key["kty"], &key["use"])).collect();
    let [rsa, elliptic, symmetric] = [json!("RSA"), json!("EC"), json!("oct")];
    let [sign, encrypt] = [json!("sig"), json!("enc")];
    let expected =
        [(&elliptic, &sign), (&rsa, &encrypt), (&rsa, &sign), (&symmetric, &sign), (&rsa, &sign)];
    assert_eq!(kinds, expected);
    assert!(is_verified(&world, &token).await);
    let readable: Vec<_> = keys
        .iter()
        .map(|key| serde_json::from_value::<Jwk>(key.clone()).unwrap())
        .map(|key| DecodingKey::from_jwk(&key).is_ok())
        .collect();
    assert_eq!(readable, [true, true, false, true, true]);
}

#[tokio::test]
async fn the_key_set_endpoint_fails_in_the_selected_way() {
    let world = World::new().await;

    for (keys, status, body) in [
        (KeysEndpoint::Failing(500), 500, r#"{"error_code":"INTERNAL"}"#),
        (KeysEndpoint::Failing(429), 429, r#"{"error_code":"RATE_LIMITED"}"#),
        (KeysEndpoint::Failing(7), 500, r#"{"error_code":"INTERNAL"}"#),
        (KeysEndpoint::Empty, 200, r#"{"keys":[]}"#),
        (KeysEndpoint::NotJson, 200, "<!doctype html><title>Log in</title>"),
        (KeysEndpoint::Malformed, 200, r#"{"keys":"soon"}"#),
    ] {
        world.handle.set_quirks(Quirks { keys, ..Quirks::default() });

        let reply = world.get("/keys").await;

        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (status, body), "{keys:?}");
        assert_eq!(reply.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    }
}

#[tokio::test]
async fn a_held_response_is_sent_when_other_quirks_are_set() {
    let world = Arc::new(World::new().await);
    world.handle.set_quirks(Quirks { keys: KeysEndpoint::Held, ..Quirks::default() });
    let client = Arc::clone(&world);
    let waiting = tokio::spawn(async move { client.get("/keys").await });

    world.handle.until_key_requests(1).await;
    assert!(!waiting.is_finished());
    world.handle.set_quirks(Quirks::default());

    let reply = waiting.await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json(), world.handle.public_jwks());
}

#[tokio::test]
async fn every_request_for_the_keys_is_counted_whatever_the_response() {
    let world = World::new().await;
    assert_eq!(world.handle.key_requests(), 0);

    world.get("/keys").await;
    world.handle.set_quirks(Quirks { keys: KeysEndpoint::Failing(500), ..Quirks::default() });
    world.get("/keys").await;
    world.get("/.well-known/openid-configuration").await;

    assert_eq!(world.handle.key_requests(), 2);
}
