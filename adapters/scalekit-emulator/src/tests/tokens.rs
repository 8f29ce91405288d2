use axum::http::{StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::support::{
    NOW, ORGANIZATION, REDIRECT_URI, RESOURCE_ID, SERVER_URL, USER, VERIFIER, World, form_request,
    token_path,
};

#[tokio::test]
async fn a_code_is_exchanged_for_tokens_with_the_claims_of_scalekit() {
    let world = World::new().await;
    let client = world.public_client().await;

    let tokens = world.log_in(&client).await;

    assert_eq!(tokens.status, StatusCode::OK);
    assert_eq!(tokens.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(tokens.text("token_type"), "Bearer");
    assert_eq!(tokens.json()["expires_in"], 3600);
    assert_eq!(tokens.text("scope"), "notes:read notes:write offline_access");
    let claims = tokens.claims();
    assert!(claims["sid"].as_str().unwrap().starts_with("ses_"));
    assert!(claims["jti"].as_str().unwrap().starts_with("tkn_"));
    assert_eq!(
        claims,
        json!({
            "aud": [SERVER_URL, RESOURCE_ID],
            "client_id": client,
            "iss": world.handle.environment_url(),
            "sub": USER,
            "oid": ORGANIZATION,
            "resid": RESOURCE_ID,
            "roles": ["admin"],
            "scope": "notes:read notes:write offline_access",
            "scopes": ["notes:read", "notes:write", "offline_access"],
            "sid": claims["sid"],
            "iat": NOW,
            "nbf": NOW,
            "exp": NOW + 3600,
            "jti": claims["jti"],
        })
    );
}

#[tokio::test]
async fn a_code_can_be_used_once() {
    let world = World::new().await;
    let client = world.public_client().await;
    let code = world.code(&client).await;

    assert_eq!(world.exchange(&client, &code, &[]).await.status, StatusCode::OK);
    world.exchange(&client, &code, &[]).await.has_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_valid_for_ten_minutes() {
    let world = World::new().await;
    let client = world.public_client().await;
    let code = world.code(&client).await;

    world.advance(600);

    world.exchange(&client, &code, &[]).await.has_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_code_is_bound_to_verifier_redirect_uri_and_client() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let another = world.public_client().await;
    let wrong = VERIFIER.replace('d', "e");

    for change in [
        ("code_verifier", wrong.as_str()),
        ("redirect_uri", "http://localhost:1/oauth/callback"),
        ("client_id", &another),
    ] {
        let code = world.code(&client).await;

        let refused = world.exchange(&client, &code, &[change]).await;
        refused.has_error(400, "invalid_grant");
        let second_try = world.exchange(&client, &code, &[]).await;
        second_try.has_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn a_malformed_exchange_is_rejected() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let code = world.code(&client).await;

    for (change, error) in [
        (("code", ""), "invalid_request"),
        (("code_verifier", ""), "invalid_request"),
        (("redirect_uri", ""), "invalid_request"),
        (("grant_type", ""), "invalid_request"),
        (("grant_type", "password"), "unsupported_grant_type"),
        (("resource", "https://elsewhere.example/"), "invalid_target"),
    ] {
        world.exchange(&client, &code, &[change]).await.has_error(400, error);
    }
    let twice = [("code", code.as_str()), ("code", "another")];
    world.exchange(&client, &code, &twice).await.has_error(400, "invalid_request");
    let json = world.post_json(&token_path(), &json!({ "grant_type": "refresh_token" })).await;
    json.has_error(400, "invalid_request");
}

#[tokio::test]
async fn a_refresh_token_is_replaced_on_each_use() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let login = world.log_in(&client).await;
    let first = login.text("refresh_token");

    world.advance(24 * 3600);
    let refreshed = world.refresh(&client, &first).await;
    let second = refreshed.text("refresh_token");

    assert_ne!(first, second);
    assert_eq!(refreshed.text("scope"), login.text("scope"));
    assert_eq!(refreshed.claims()["sid"], login.claims()["sid"]);
    assert_eq!(refreshed.claims()["iat"], NOW + 24 * 3600);
    assert_eq!(world.refresh(&client, &second).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_may_request_less_and_never_more() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let token = world.log_in(&client).await.text("refresh_token");

    let more = world.refresh_for(&client, &token, "notes:read email").await;
    more.has_error(400, "invalid_scope");

    let less = world.refresh_for(&client, &token, "notes:read").await;
    assert_eq!(less.claims()["scope"], "notes:read");

    let all = world.refresh(&client, &less.text("refresh_token")).await;
    assert_eq!(all.text("scope"), "notes:read notes:write offline_access");
}

#[tokio::test]
async fn a_refresh_token_is_valid_for_its_own_client_until_it_expires() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let another = world.public_client().await;
    let token = world.log_in(&client).await.text("refresh_token");

    world.refresh(&another, &token).await.has_error(400, "invalid_grant");
    world.advance(30 * 24 * 3600);
    world.refresh(&client, &token).await.has_error(400, "invalid_grant");
}

#[tokio::test]
async fn a_client_authenticates_in_the_header_or_in_the_body() {
    let world = World::with_auto_consent().await;
    let (client, secret) = world.confidential_client().await;

    let code = world.code(&client).await;
    let posted = world.exchange(&client, &code, &[("client_secret", &secret)]).await;
    assert_eq!(posted.status, StatusCode::OK, "{posted:?}");

    let code = world.code(&client).await;
    let encoded = client.replace('_', "%5F");
    let reply = exchange_with_basic(&world, &code, &format!("{encoded}:{secret}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
}

#[tokio::test]
async fn a_client_that_fails_to_authenticate_does_not_use_up_a_code() {
    let world = World::with_auto_consent().await;
    let (client, secret) = world.confidential_client().await;
    let public = world.public_client().await;
    let code = world.code(&client).await;

    for (client, changes) in [
        (client.as_str(), vec![]),
        (&client, vec![("client_secret", "wrong")]),
        (&public, vec![("client_secret", secret.as_str())]),
        ("m2m_1", vec![]),
        ("", vec![]),
    ] {
        let reply = world.exchange(client, &code, &changes).await;

        reply.has_error(401, "invalid_client");
        assert!(!reply.headers.contains_key(header::WWW_AUTHENTICATE));
    }
    let reply = world.exchange(&client, &code, &[("client_secret", &secret)]).await;
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test]
async fn a_failed_header_gets_a_challenge_with_the_scheme() {
    let world = World::with_auto_consent().await;
    let (client, _) = world.confidential_client().await;

    for credentials in [format!("{client}:wrong"), "no colon".to_owned()] {
        let reply = exchange_with_basic(&world, "code", &credentials).await;

        reply.has_error(401, "invalid_client");
        assert!(reply.header(header::WWW_AUTHENTICATE).starts_with("Basic realm="));
    }
}

#[tokio::test]
async fn revocation_requires_a_client_with_a_secret() {
    let world = World::with_auto_consent().await;
    let public = world.public_client().await;
    let (client, secret) = world.confidential_client().await;
    let code = world.code(&client).await;
    let login = world.exchange(&client, &code, &[("client_secret", &secret)]).await;
    let token = login.text("refresh_token");

    let refused = world
        .post_form("/oauth/revoke", &[("client_id", public.as_str()), ("token", token.as_str())])
        .await;
    refused.has_error(401, "invalid_client");

    let credentials = [("client_id", client.as_str()), ("client_secret", secret.as_str())];
    let revoked =
        world.post_form("/oauth/revoke", &[&credentials[..], &[("token", &token)]].concat()).await;
    assert_eq!(revoked.status, StatusCode::OK);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &token)];
    let reply = world.post_form(&token_path(), &[&credentials[..], &refresh].concat()).await;
    reply.has_error(400, "invalid_grant");
}

async fn exchange_with_basic(
    world: &World,
    code: &str,
    credentials: &str,
) -> super::support::Reply {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let mut request = form_request(&token_path(), &form);
    let credentials = format!("Basic {}", STANDARD.encode(credentials)).parse().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, credentials);
    world.send(request).await
}
