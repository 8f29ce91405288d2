use axum::body::Body;
use axum::http::{StatusCode, header};
use serde_json::json;

use super::support::{NOW, REDIRECT_URI, RESOURCE_ID, Reply, SERVER_URL, World, to};

#[tokio::test]
async fn a_public_client_gets_an_id_and_no_secret() {
    let world = World::new().await;

    let reply = world
        .register(json!({
            "client_name": "Inspector",
            "redirect_uris": [REDIRECT_URI],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            "scope": "notes:read offline_access unheard:of",
        }))
        .await;

    assert_eq!(reply.status, StatusCode::CREATED);
    assert!(reply.text("client_id").starts_with("m2m_"));
    assert_eq!(
        reply.json(),
        json!({
            "client_id": reply.text("client_id"),
            "secrets": [],
            "name": "Inspector",
            "description": "",
            "create_time": "2027-01-15T08:00:00Z",
            "update_time": "2027-01-15T08:00:00Z",
            "scopes": ["notes:read", "offline_access"],
            "audience": [SERVER_URL, RESOURCE_ID],
            "custom_claims": [],
            "expiry": "3600",
            "resource_id": RESOURCE_ID,
            "redirect_uris": [REDIRECT_URI],
            "client_name": "Inspector",
            "token_endpoint_auth_method": "none",
            "client_id_issued_at": NOW,
        })
    );
}

#[tokio::test]
async fn a_confidential_client_gets_a_secret_once() {
    let world = World::new().await;

    for method in ["client_secret_post", "client_secret_basic"] {
        let reply = world.register(json!({ "token_endpoint_auth_method": method })).await;

        assert_eq!(reply.status, StatusCode::CREATED);
        assert_eq!(reply.text("token_endpoint_auth_method"), method);
        assert!(reply.text("client_secret").len() >= 43);
        assert_eq!(reply.json()["client_secret_expires_at"], 0);
        assert!(reply.json()["secrets"][0]["id"].as_str().unwrap().starts_with("sks_"));
    }
}

#[tokio::test]
async fn an_invalid_redirect_uri_is_reported_by_its_index() {
    let world = World::new().await;

    for uri in ["javascript:alert(1)", "data:text/html,x", "http://client.example/", "/relative"] {
        let reply = world.register(json!({ "redirect_uris": [REDIRECT_URI, uri] })).await;

        reply.has_error(400, "invalid_redirect_uri");
        assert!(reply.text("error_description").starts_with("`redirect_uris[1]` "), "{reply:?}");
    }
}

#[tokio::test]
async fn a_public_client_needs_a_redirect_uri() {
    let world = World::new().await;

    world.register(json!({})).await.has_error(400, "invalid_redirect_uri");
}

#[tokio::test]
async fn metadata_of_the_wrong_type_is_rejected() {
    let world = World::new().await;

    for metadata in [
        json!([]),
        json!({ "redirect_uris": REDIRECT_URI }),
        json!({ "redirect_uris": [REDIRECT_URI], "client_name": 7 }),
        json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "private_key_jwt" }),
    ] {
        world.register(metadata).await.has_error(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn beyond_five_hundred_clients_the_oldest_that_was_never_used_is_dropped() {
    let world = World::with_auto_consent().await;
    let used = world.public_client().await;
    let code = world.authorize(&used, &[("scope", "notes:read")]).await.redirected("code");
    assert_eq!(world.exchange(&used, &code, &[]).await.status, StatusCode::OK);
    let (machine, secret) = world.confidential_client().await;
    let grant = [
        ("grant_type", "client_credentials"),
        ("client_id", machine.as_str()),
        ("client_secret", &secret),
    ];
    assert_eq!(world.post_form("/oauth/token", &grant).await.status, StatusCode::OK);
    let unused = world.public_client().await;
    let newer = world.public_client().await;
    for _ in 4..=500 {
        world.public_client().await;
    }

    assert_eq!(world.authorize(&unused, &[]).await.status, StatusCode::BAD_REQUEST);
    for client in [used, machine, newer] {
        assert_eq!(world.authorize(&client, &[]).await.status, StatusCode::FOUND);
    }
}

async fn register_from(world: &World, origins: &[&str]) -> Reply {
    let path = format!("/api/v1/resources/{RESOURCE_ID}/clients:register");
    let mut request = to("POST", &path).header(header::CONTENT_TYPE, "application/json");
    for origin in origins {
        request = request.header(header::ORIGIN, *origin);
    }
    let metadata = json!({ "redirect_uris": [REDIRECT_URI] });
    world.send(request.body(Body::from(metadata.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_website_cannot_register_clients_and_drops_none() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    for origin in [
        "https://client.example",
        "http://localhost.client.example:6274",
        "http://192.168.0.1:6274",
        "null",
        "",
    ] {
        let refused = register_from(&world, &[origin]).await;

        refused.has_error(403, "access_denied");
        assert!(refused.text("error_description").contains("localhost"), "{refused:?}");
        assert_eq!(refused.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    }
    let twice = register_from(&world, &["http://localhost:6274", "https://client.example"]).await;
    assert_eq!(twice.status, StatusCode::FORBIDDEN);
    for _ in 0..500 {
        register_from(&world, &["https://client.example"]).await;
    }
    assert_eq!(world.authorize(&client, &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_page_of_this_machine_and_an_application_register_clients() {
    let world = World::new().await;

    for origin in [
        "http://localhost:6274",
        "http://127.0.0.1:6274",
        "http://[::1]:6274",
        "https://inspector.localhost",
        "vscode-file://vscode-app",
        "chrome-extension://abcdefghijklmnop",
    ] {
        let registered = register_from(&world, &[origin]).await;

        assert_eq!(registered.status, StatusCode::CREATED, "{origin}");
    }
}

#[tokio::test]
async fn redirect_uris_of_more_than_8000_bytes_in_all_are_rejected() {
    let world = World::new().await;
    let long = format!("{REDIRECT_URI}?{}", "x".repeat(1900));

    let fits = world.register(json!({ "redirect_uris": vec![long.as_str(); 4] })).await;
    let exceeds = world.register(json!({ "redirect_uris": vec![long.as_str(); 5] })).await;

    assert_eq!(fits.status, StatusCode::CREATED);
    exceeds.has_error(400, "invalid_redirect_uri");
}

#[tokio::test]
async fn json_holds_no_line_separator_and_no_control_character() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::with_state_file(file.clone()).await;
    let uri = REDIRECT_URI;

    let reply = world
        .register(json!({ "description": "a\u{2028}b\u{85}\u{9b}c", "redirect_uris": [uri] }))
        .await;

    assert_eq!(reply.text("description"), "a\u{2028}b\u{85}\u{9b}c");
    assert!(reply.body.contains(r"a\u2028b\u0085\u009bc"), "{reply:?}");
    let written = std::fs::read_to_string(file).unwrap();
    for text in [reply.body, written] {
        assert!(!text.trim_end().contains(['\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{2029}']));
    }
}
