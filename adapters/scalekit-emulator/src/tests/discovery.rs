use axum::http::StatusCode;
use serde_json::json;

use super::support::{World, part};
use crate::{LOCAL_ORGANIZATION, LOCAL_RESOURCE_ID, LOCAL_USER, TokenRequest};

#[tokio::test]
async fn both_forms_of_the_resource_metadata_say_what_scalekit_says() {
    let world = World::new().await;
    let env = world.handle.environment_url();
    let issuer = world.issuer();
    let expected = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "registration_endpoint":
            format!("{env}/api/v1/resources/{LOCAL_RESOURCE_ID}/clients:register"),
        "jwks_uri": format!("{env}/keys"),
        "client_id_metadata_document_supported": false,
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "scopes_supported":
            ["todo:read", "todo:write", "offline_access", "openid", "profile", "email"],
        "response_types_supported": ["code"],
        "token_endpoint_auth_methods_supported":
            ["none", "client_secret_post", "client_secret_basic"],
        "authorization_response_iss_parameter_supported": true,
    });

    let well_known = "/.well-known/oauth-authorization-server";
    let resource = format!("/resources/{LOCAL_RESOURCE_ID}");
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
async fn nothing_is_where_scalekit_has_nothing() {
    let world = World::new().await;

    for path in [
        format!("/resources/{LOCAL_RESOURCE_ID}/keys"),
        format!("/.well-known/openid-configuration/resources/{LOCAL_RESOURCE_ID}"),
        format!("/resources/{LOCAL_RESOURCE_ID}/.well-known/openid-configuration"),
        "/.well-known/oauth-authorization-server/resources/res_1".to_owned(),
        "/resources/res_1/oauth/authorize".to_owned(),
    ] {
        assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_published_key_verifies_minted_tokens() {
    let world = World::new().await;
    let token = world.handle.mint(&TokenRequest::default());

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
    validation.set_audience(&[LOCAL_RESOURCE_ID]);
    validation.set_issuer(&[world.handle.environment_url()]);
    let verified =
        jsonwebtoken::decode::<serde_json::Value>(&token, &key.unwrap(), &validation).unwrap();
    assert_eq!(verified.claims["sub"], LOCAL_USER);
}

#[tokio::test]
async fn a_minted_token_says_what_was_asked_for() {
    let world = World::new().await;
    let request = TokenRequest {
        subject: "usr_1".to_owned(),
        organization: None,
        scopes: vec!["todo:read".to_owned()],
        expires_in: -60,
        ..TokenRequest::default()
    };

    let claims = part(&world.handle.mint(&request), 1);

    assert_eq!(claims["sub"], "usr_1");
    assert_eq!(claims["scope"], "todo:read");
    assert!(claims.get("oid").is_none());
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat - 60));
}

#[tokio::test]
async fn userinfo_names_the_person_behind_a_token() {
    let world = World::new().await;
    let token = world.handle.mint(&TokenRequest {
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        ..TokenRequest::default()
    });
    let ask = async |token: &str| {
        let request = super::support::to("GET", "/userinfo")
            .header("authorization", format!("Bearer {token}"));
        world.send(request.body(axum::body::Body::empty()).unwrap()).await
    };

    let expected = json!({
        "sub": LOCAL_USER, "oid": LOCAL_ORGANIZATION, "email": "developer@localhost",
    });
    assert_eq!(ask(&token).await.json(), expected);

    world.pass(3600);
    assert_eq!(ask(&token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("e30.e30.e30").await.status, StatusCode::UNAUTHORIZED);
}
