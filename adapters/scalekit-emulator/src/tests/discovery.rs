use axum::http::StatusCode;
use serde_json::json;

use super::support::{ORGANIZATION, RESOURCE_ID, USER, World, part};
use crate::TokenRequest;

#[tokio::test]
async fn both_paths_of_the_resource_metadata_have_the_document_of_scalekit() {
    let world = World::new().await;
    let env = world.handle.environment_url();
    let issuer = world.issuer();
    let expected = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "registration_endpoint":
            format!("{env}/api/v1/resources/{RESOURCE_ID}/clients:register"),
        "jwks_uri": format!("{env}/keys"),
        "client_id_metadata_document_supported": false,
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "scopes_supported":
            ["notes:read", "notes:write", "offline_access", "openid", "profile", "email"],
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_post", "client_secret_basic"],
        "authorization_response_iss_parameter_supported": true,
    });

    let well_known = "/.well-known/oauth-authorization-server";
    let resource = format!("/resources/{RESOURCE_ID}");
    for path in [format!("{well_known}{resource}"), format!("{resource}{well_known}")] {
        let reply = world.get(&path).await;

        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.json(), expected, "{path}");
    }
}

#[tokio::test]
async fn the_environment_has_discovery_without_registration() {
    let world = World::new().await;
    let env = world.handle.environment_url();

    let document = world.get("/.well-known/openid-configuration").await.json();

    assert_eq!(document["issuer"], env);
    assert_eq!(document["token_endpoint"], format!("{env}/oauth/token"));
    assert_eq!(document["userinfo_endpoint"], format!("{env}/userinfo"));
    assert!(document.get("registration_endpoint").is_none());
}

#[tokio::test]
async fn paths_that_scalekit_lacks_are_not_found() {
    let world = World::new().await;

    for path in [
        format!("/resources/{RESOURCE_ID}/keys"),
        format!("/.well-known/openid-configuration/resources/{RESOURCE_ID}"),
        format!("/resources/{RESOURCE_ID}/.well-known/openid-configuration"),
        "/.well-known/oauth-authorization-server/resources/res_1".to_owned(),
        "/resources/res_1/oauth/authorize".to_owned(),
    ] {
        assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_published_key_verifies_minted_tokens() {
    let world = World::new().await;
    let token = world.handle.mint(&world.handle.token_request());

    let keys = world.get("/keys").await.json();

    assert_eq!(keys, world.handle.public_jwks());
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kty"], &key["use"], &key["alg"], &key["e"]),
        (&json!("RSA"), &json!("sig"), &json!("RS256"), &json!("AQAB")),
    );
    assert_eq!(part(&token, 0), json!({ "alg": "RS256", "typ": "JWT", "kid": key["kid"] }));
    let key = jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(key.clone()).unwrap());
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.validate_exp = false;
    validation.set_audience(&[RESOURCE_ID]);
    validation.set_issuer(&[world.handle.environment_url()]);
    let verified =
        jsonwebtoken::decode::<serde_json::Value>(&token, &key.unwrap(), &validation).unwrap();
    assert_eq!(verified.claims["sub"], USER);
}

#[tokio::test]
async fn a_minted_token_has_the_requested_content() {
    let world = World::new().await;
    let request = TokenRequest {
        subject: "usr_1".to_owned(),
        organization: None,
        scopes: vec!["notes:read".to_owned()],
        expires_in: -60,
        ..world.handle.token_request()
    };

    let claims = part(&world.handle.mint(&request), 1);

    assert_eq!(claims["sub"], "usr_1");
    assert_eq!(claims["scope"], "notes:read");
    assert!(claims.get("oid").is_none());
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat - 60));
}

#[tokio::test]
async fn userinfo_describes_the_user_of_a_token() {
    let world = World::new().await;
    let token = world.handle.mint(&TokenRequest {
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        ..world.handle.token_request()
    });
    let userinfo = async |token: &str| {
        let request = super::support::to("GET", "/userinfo")
            .header("authorization", format!("Bearer {token}"));
        world.send(request.body(axum::body::Body::empty()).unwrap()).await
    };

    let expected = json!({
        "sub": USER, "oid": ORGANIZATION, "email": "developer@localhost",
    });
    assert_eq!(userinfo(&token).await.json(), expected);

    world.advance(3600);
    assert_eq!(userinfo(&token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(userinfo("e30.e30.e30").await.status, StatusCode::UNAUTHORIZED);
}
