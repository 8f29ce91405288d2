use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::document_host::DocumentHost;
use crate::tests::support::{REDIRECT_URI, Reply, World};
use crate::{Cimd, Quirks};

fn on_loopback() -> Quirks {
    Quirks { cimd: Cimd::On, cimd_allow_loopback: true, ..Quirks::default() }
}

#[track_caller]
fn assert_rejected(reply: &Reply, reason: &str) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reason}");
    assert!(!reply.headers.contains_key(header::LOCATION));
    assert!(reply.body.contains("invalid_client_metadata_url"), "{}", reply.body);
    assert!(reply.body.contains(reason), "{reason}: {}", reply.body);
}

#[tokio::test]
async fn a_client_with_a_document_logs_in_and_stays_logged_in() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());

    let login = world.log_in(&client).await;
    assert_eq!(login.claims()["client_id"], client);
    // A registration in between once removed the logins of unregistered clients.
    world.public_client().await;
    let refreshed = world.refresh(&client, &login.text("refresh_token")).await;

    assert_eq!(refreshed.claims()["client_id"], client);
}

#[tokio::test]
async fn the_consent_page_shows_the_host_beside_the_name() {
    let world = World::new().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(on_loopback());

    let page = world.authorize(&host.client_id(), &[]).await;
    let registered = world.authorize(&world.public_client().await, &[]).await;

    assert!(page.body.contains("<bdi>Self-made</bdi> wants to use your notes"), "{}", page.body);
    let host = "<dt>Application from</dt><dd><strong>127.0.0.1</strong></dd>";
    assert!(page.body.contains(host), "{}", page.body);
    assert!(!registered.body.contains("Application from"));
}

#[tokio::test]
async fn a_url_is_not_a_client_id_by_default() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(Quirks { cimd_allow_loopback: true, ..Quirks::default() });

    for client in [host.client_id().as_str(), "https://client.example/id", "HTTPS://x"] {
        let reply = world.authorize(client, &[]).await;

        assert_rejected(&reply, "does not accept URLs as client ids");
    }
    assert_eq!(host.requests(), 0);
    let token = world.refresh(&host.client_id(), "a refresh token").await;
    token.has_error(401, "invalid_client");
}

#[tokio::test]
async fn nothing_is_fetched_from_this_machine_or_a_private_network() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(Quirks { cimd: Cimd::On, ..Quirks::default() });

    assert_rejected(&world.authorize(&host.client_id(), &[]).await, "it is not an https URL");
    for client in [
        host.client_id().replace("http:", "https:").as_str(),
        "https://localhost/id",
        "https://[::1]/id",
        "https://[::ffff:7f00:1]/id",
        "https://0.0.0.0/id",
        "https://10.0.0.1/id",
        "https://100.64.0.1/id",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.1.1/id",
        "https://[fd00::1]/id",
        "https://[fe80::1]/id",
    ] {
        let reply = world.authorize(client, &[]).await;

        assert_rejected(&reply, "on this machine or in a private network");
    }
    assert_eq!(host.requests(), 0);
}

#[tokio::test]
async fn allowing_loopback_allows_no_other_private_address() {
    let world = World::with_auto_consent().await;
    world.handle.set_quirks(on_loopback());

    for client in ["https://10.0.0.1/id", "https://[::ffff:7f00:1]/id", "https://0.0.0.0/id"] {
        let reply = world.authorize(client, &[]).await;

        assert_rejected(&reply, "on this machine or in a private network");
    }
}

#[tokio::test]
async fn an_invalid_document_is_rejected_and_not_cached() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());
    let changed = |field: &str, value: Value| {
        let mut document = host.document();
        document[field] = value;
        document
    };

    for (document, reason) in [
        (json!([]), "not a JSON object with the required fields"),
        (json!({ "client_id": client }), "missing field `redirect_uris`"),
        (changed("client_id", json!(format!("{client}/"))), "is not this URL"),
        (changed("client_id", json!(client.replace("127.0.0.1", "localhost"))), "is not this URL"),
        (changed("client_secret", json!("hidden")), "contains a secret"),
        (changed("client_secret_expires_at", json!(0)), "contains a secret"),
        (changed("token_endpoint_auth_method", json!("client_secret_basic")), "other than `none`"),
        (changed("redirect_uris", json!(["javascript:alert(1)"])), "browsers handle themselves"),
    ] {
        host.serve(&document);

        assert_rejected(&world.authorize(&client, &[]).await, reason);
    }
    host.respond(StatusCode::NOT_FOUND, host.document().to_string());
    assert_rejected(&world.authorize(&client, &[]).await, "status 404");
    host.serve(&host.document());
    assert_eq!(world.authorize(&client, &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(on_loopback());
    host.respond(StatusCode::FOUND, host.document().to_string());

    let reply = world.authorize(&host.client_id(), &[]).await;

    assert_rejected(&reply, "status 302");
    assert_eq!(host.requests(), 1);
}

#[tokio::test]
async fn only_redirect_uris_of_the_document_are_allowed() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(on_loopback());
    let authorize = async |redirect_uri: &str| {
        world.authorize(&host.client_id(), &[("redirect_uri", redirect_uri)]).await
    };

    for elsewhere in ["https://client.example/callback", "http://localhost:6274/oauth/other"] {
        let reply = authorize(elsewhere).await;

        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{elsewhere}");
        assert!(!reply.headers.contains_key(header::LOCATION));
    }
    let another_port = REDIRECT_URI.replace("6274", "49152");
    assert!(authorize(&another_port).await.location().as_str().starts_with(&another_port));
}

#[tokio::test]
async fn a_valid_document_is_cached_for_a_minute() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());

    world.authorize(&client, &[]).await;
    world.advance(59);
    world.authorize(&client, &[]).await;
    assert_eq!(host.requests(), 1);

    world.advance(1);
    world.authorize(&client, &[]).await;
    assert_eq!(host.requests(), 2);

    world.handle.set_quirks(on_loopback());
    world.authorize(&client, &[]).await;
    assert_eq!(host.requests(), 3);
}

#[tokio::test]
async fn a_client_with_a_document_has_no_secret_and_no_tokens_of_its_own() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());
    let machine = [("grant_type", "client_credentials"), ("client_id", client.as_str())];

    let without = world.post_form("/oauth/token", &machine).await;
    let with = [&machine[..], &[("client_secret", "guess")]].concat();
    let with = world.post_form("/oauth/token", &with).await;

    without.has_error(400, "unauthorized_client");
    with.has_error(401, "invalid_client");
}

#[tokio::test]
async fn a_refused_url_is_an_unknown_client() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(Quirks { refused_clients: [client.clone()].into(), ..on_loopback() });

    let reply = world.authorize(&client, &[]).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("unable to retrieve client by id"), "{}", reply.body);
    assert_eq!(host.requests(), 0);
    let token = world.refresh(&client, "a refresh token").await;
    token.has_error(401, "invalid_client");
}
