use axum::http::{StatusCode, header};
use serde_json::json;

use super::support::{CHALLENGE, REDIRECT_URI, World};

#[tokio::test]
async fn an_unknown_client_or_redirect_uri_is_never_redirected() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let another = world
        .register(json!({ "redirect_uris": ["https://client.example/callback"] }))
        .await
        .text("client_id");

    for (client, redirect_uri) in [
        ("m2m_1", REDIRECT_URI),
        ("", REDIRECT_URI),
        (client.as_str(), ""),
        (&client, "https://client.example/callback"),
        (&client, "http://localhost:6274/oauth/callback/other"),
        (&client, "http://127.0.0.1:6274/oauth/callback"),
        (&client, "javascript:alert(1)"),
        (&another, "https://client.example/callback/"),
        (&another, "https://client.example:8443/callback"),
    ] {
        let reply = world.authorize(client, &[("redirect_uri", redirect_uri)]).await;

        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{client} {redirect_uri}");
        assert!(!reply.headers.contains_key(header::LOCATION));
        assert_eq!(reply.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn a_repeated_client_id_is_never_redirected() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    let twice = [("client_id", client.as_str()), ("client_id", "m2m_1")];
    let reply = world.authorize("", &twice).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_loopback_redirect_uri_may_have_any_port() {
    let world = World::with_auto_consent().await;
    let metadata = json!({ "redirect_uris": ["http://127.0.0.1/callback"] });
    let client = world.register(metadata).await.text("client_id");
    let here = "http://127.0.0.1:49152/callback";

    let reply = world.authorize(&client, &[("redirect_uri", here)]).await;

    assert!(reply.location().as_str().starts_with(&format!("{here}?code=")));
    let tokens =
        world.exchange(&client, &reply.redirected("code"), &[("redirect_uri", here)]).await;
    assert_eq!(tokens.status, StatusCode::OK);
}

#[tokio::test]
async fn every_other_error_is_returned_to_the_client() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    for (changes, error) in [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "invalid_request"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", "too-short")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("resource", "https://elsewhere.example/mcp")], "invalid_target"),
        ([("scope", "unheard:of")], "invalid_scope"),
    ] {
        let reply = world.authorize(&client, &changes).await;

        assert_eq!(reply.status, StatusCode::FOUND, "{changes:?}");
        assert!(reply.location().as_str().starts_with(REDIRECT_URI), "{changes:?}");
        assert_eq!(reply.redirected("error"), error, "{changes:?}");
        assert_eq!(reply.redirected("state"), "the state");
        assert_eq!(reply.redirected("iss"), world.issuer());
    }
}

#[tokio::test]
async fn one_foreign_resource_among_several_is_rejected() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let resources =
        [("resource", "http://localhost:3002"), ("resource", "https://elsewhere.example/")];

    let reply = world.authorize(&client, &resources).await;

    assert_eq!(reply.redirected("error"), "invalid_target");
}

#[tokio::test]
async fn automatic_consent_redirects_with_code_state_and_issuer() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    let reply = world.authorize(&client, &[]).await;

    assert_eq!(reply.status, StatusCode::FOUND);
    assert_eq!(reply.redirected("state"), "the state");
    assert_eq!(reply.redirected("iss"), world.issuer());
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    let tokens = world.exchange(&client, &reply.redirected("code"), &[]).await;
    assert_eq!(tokens.text("scope"), "notes:read notes:write offline_access");
}

#[tokio::test]
async fn a_request_without_state_gets_none_back() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    let reply = world.authorize(&client, &[("state", "")]).await;

    assert!(!reply.location().query_pairs().any(|(name, _)| name == "state"));
}

#[tokio::test]
async fn unknown_scopes_are_dropped_and_no_scope_means_all_of_the_resource() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    for (requested, granted) in
        [("notes:read unheard:of openid", "notes:read openid"), ("", "notes:read notes:write")]
    {
        let code = world.authorize(&client, &[("scope", requested)]).await.redirected("code");

        let tokens = world.exchange(&client, &code, &[]).await;
        assert_eq!(tokens.text("scope"), granted);
        assert!(tokens.json().get("refresh_token").is_none());
    }
}

#[tokio::test]
async fn the_endpoint_of_the_environment_has_the_environment_as_issuer() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    let reply = world
        .get(&format!(
            "/oauth/authorize?response_type=code&client_id={client}&redirect_uri={REDIRECT_URI}\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        ))
        .await;

    assert_eq!(reply.redirected("iss"), world.handle.environment_url());
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", &client),
        ("code", &reply.redirected("code")),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", super::support::VERIFIER),
    ];
    assert_eq!(world.post_form("/oauth/token", &form).await.status, StatusCode::OK);
}
