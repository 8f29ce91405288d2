use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use super::support::{RESOURCE_ID, USER, World, form_request, part, to};

#[tokio::test]
async fn only_requests_to_a_loopback_host_are_served() {
    let world = World::new().await;
    let status = async |host: &str| {
        let request = Request::builder().uri("/keys").header(header::HOST, host);
        world.send(request.body(Body::empty()).unwrap()).await.status
    };

    for host in ["localhost", "LOCALHOST:3003", "127.0.0.1:3003", "[::1]", "[::1]:1"] {
        assert_eq!(status(host).await, StatusCode::OK, "{host}");
    }
    for host in [
        "client.example",
        "localhost.client.example",
        "127.0.0.1.client.example:3003",
        "localhost@client.example",
        "client.example@localhost",
        "0.0.0.0",
        "",
        "a b",
    ] {
        assert_eq!(status(host).await, StatusCode::FORBIDDEN, "{host}");
    }
}

#[tokio::test]
async fn a_request_without_a_single_host_is_rejected() {
    let world = World::new().await;
    let builder = || Request::builder().uri("/keys");

    for request in [
        builder(),
        builder().header(header::HOST, "localhost").header(header::HOST, "client.example"),
        builder().uri("http://client.example/keys").header(header::HOST, "localhost"),
    ] {
        let reply = world.send(request.body(Body::empty()).unwrap()).await;

        assert_eq!(reply.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn the_endpoints_of_clients_support_cors() {
    let world = World::new().await;

    for path in [
        "/keys".to_owned(),
        "/oauth/token".to_owned(),
        format!("/api/v1/resources/{RESOURCE_ID}/clients:register"),
        format!("/.well-known/oauth-authorization-server/resources/{RESOURCE_ID}"),
        // A client that probes for a document must see that it does not exist.
        "/.well-known/nothing".to_owned(),
    ] {
        let preflight = to("OPTIONS", &path)
            .header(header::ORIGIN, "http://localhost:6274")
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "mcp-protocol-version");
        let preflight = world.send(preflight.body(Body::empty()).unwrap()).await;

        assert_eq!(preflight.status, StatusCode::OK, "{path}");
        assert_eq!(preflight.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
        assert_eq!(
            preflight.header(header::ACCESS_CONTROL_ALLOW_HEADERS),
            "authorization,content-type,accept,mcp-protocol-version"
        );
        let reply = world.get(&path).await;
        assert_eq!(reply.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*", "{path}");
    }
}

#[tokio::test]
async fn the_consent_page_and_minting_do_not_support_cors() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[]).await;
    let minted = world.post_json("/emulator/token", &json!({})).await;
    let preflight = to("OPTIONS", "/emulator/token").header(header::ORIGIN, "http://localhost:1");
    let preflight = world.send(preflight.body(Body::empty()).unwrap()).await;

    for reply in [page, minted, preflight] {
        assert!(!reply.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}

#[tokio::test]
async fn the_command_gets_the_requested_token() {
    let world = World::new().await;

    let usual = world.post_json("/emulator/token", &json!({})).await;
    let special = world
        .post_json(
            "/emulator/token",
            &json!({
                "scope": "notes:read", "subject": "usr_1", "organization": "", "expires_in": -1,
            }),
        )
        .await;

    assert_eq!(usual.claims()["sub"], USER);
    assert_eq!(usual.claims()["scope"], "notes:read notes:write");
    assert_eq!(usual.json(), json!({ "access_token": usual.text("access_token") }));
    let claims = part(&special.text("access_token"), 1);
    assert_eq!(claims["sub"], "usr_1");
    assert_eq!(claims["scope"], "notes:read");
    assert!(claims.get("oid").is_none());
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat - 1));
}

#[tokio::test]
async fn only_a_valid_json_request_gets_a_token() {
    let world = World::new().await;

    let form = world.send(form_request("/emulator/token", &[("subject", "usr_1")])).await;
    let disguised = to("POST", "/emulator/token").header(header::CONTENT_TYPE, "text/plain");
    let disguised = world.send(disguised.body(Body::from("{}")).unwrap()).await;
    let misspelt = world.post_json("/emulator/token", &json!({ "scopes": "notes:read" })).await;

    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(disguised.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(misspelt.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_body_that_exceeds_64_kib_is_rejected() {
    let world = World::new().await;
    let long = "x".repeat(64 * 1024);

    let reply = world.post_form("/oauth/token", &[("code", &long)]).await;

    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}
