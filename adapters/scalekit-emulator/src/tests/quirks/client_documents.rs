use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use super::document_host::DocumentHost;
use crate::{
    Cimd, Quirks,
    tests::support::{REDIRECT_URI, Reply, World},
};

fn on_loopback() -> Quirks {
    Quirks { cimd: Cimd::On, cimd_allow_loopback: true, ..Quirks::default() }
}

#[track_caller]
fn assert_refused(reply: &Reply, reason: &str) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reason}");
    assert!(!reply.headers.contains_key(header::LOCATION));
    assert!(reply.body.contains("invalid_client_metadata_url"), "{}", reply.body);
    assert!(reply.body.contains(reason), "{reason}: {}", reply.body);
}

#[tokio::test]
async fn a_client_that_describes_itself_logs_in_and_stays_logged_in() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());

    let login = world.log_in(&client).await;
    assert_eq!(login.claims()["client_id"], client);
    // Another client registers meanwhile, which once threw unregistered clients' logins away.
    world.public_client().await;
    let refreshed = world.refresh(&client, &login.text("refresh_token")).await;

    assert_eq!(refreshed.claims()["client_id"], client);
}

#[tokio::test]
async fn the_consent_page_names_the_host_beside_the_name() {
    let world = World::new().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(on_loopback());

    let page = world.authorize(&host.client_id(), &[]).await;
    let registered = world.authorize(&world.public_client().await, &[]).await;

    assert!(page.body.contains("<bdi>Self-made</bdi> wants to use your todos"), "{}", page.body);
    let host = "<dt>Application from</dt><dd><strong>127.0.0.1</strong></dd>";
    assert!(page.body.contains(host), "{}", page.body);
    assert!(!registered.body.contains("Application from"));
}

#[tokio::test]
async fn a_url_is_no_client_id_where_documents_are_off() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(Quirks { cimd_allow_loopback: true, ..Quirks::default() });

    for client in [host.client_id().as_str(), "https://client.example/id", "HTTPS://x"] {
        let reply = world.authorize(client, &[]).await;

        assert_refused(&reply, "does not take URLs as client ids");
    }
    assert_eq!(host.requests(), 0);
    let token = world.refresh(&host.client_id(), "a refresh token").await;
    token.is_refused_with(401, "invalid_client");
}

#[tokio::test]
async fn nothing_is_fetched_from_this_machine_or_a_private_network() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(Quirks { cimd: Cimd::On, ..Quirks::default() });

    assert_refused(&world.authorize(&host.client_id(), &[]).await, "it is not an https URL");
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

        assert_refused(&reply, "on this machine or in a private network");
    }
    assert_eq!(host.requests(), 0);
}

#[tokio::test]
async fn allowing_loopback_allows_no_other_private_place() {
    let world = World::with_auto_consent().await;
    world.handle.set_quirks(on_loopback());

    for client in ["https://10.0.0.1/id", "https://[::ffff:7f00:1]/id", "https://0.0.0.0/id"] {
        let reply = world.authorize(client, &[]).await;

        assert_refused(&reply, "on this machine or in a private network");
    }
}

#[tokio::test]
async fn a_document_that_is_not_right_in_every_way_is_refused_and_not_remembered() {
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
        (json!([]), "no JSON object with the right fields"),
        (json!({ "client_id": client }), "missing field `redirect_uris`"),
        (changed("client_id", json!(format!("{client}/"))), "is not this URL"),
        (changed("client_id", json!(client.replace("127.0.0.1", "localhost"))), "is not this URL"),
        (changed("client_secret", json!("hidden")), "gives a secret away"),
        (changed("client_secret_expires_at", json!(0)), "gives a secret away"),
        (changed("token_endpoint_auth_method", json!("client_secret_basic")), "other than `none`"),
        (changed("redirect_uris", json!(["javascript:alert(1)"])), "a browser would act upon"),
    ] {
        host.serve(&document);

        assert_refused(&world.authorize(&client, &[]).await, reason);
    }
    host.answer(StatusCode::NOT_FOUND, host.document().to_string());
    assert_refused(&world.authorize(&client, &[]).await, "status 404");
    host.serve(&host.document());
    assert_eq!(world.authorize(&client, &[]).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(on_loopback());
    host.answer(StatusCode::FOUND, host.document().to_string());

    let reply = world.authorize(&host.client_id(), &[]).await;

    assert_refused(&reply, "status 302");
    assert_eq!(host.requests(), 1);
}

#[tokio::test]
async fn the_answer_goes_only_where_the_document_says() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    world.handle.set_quirks(on_loopback());
    let ask = async |redirect_uri: &str| {
        world.authorize(&host.client_id(), &[("redirect_uri", redirect_uri)]).await
    };

    for elsewhere in ["https://client.example/callback", "http://localhost:6274/oauth/other"] {
        let reply = ask(elsewhere).await;

        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{elsewhere}");
        assert!(!reply.headers.contains_key(header::LOCATION));
    }
    let another_port = REDIRECT_URI.replace("6274", "49152");
    assert!(ask(&another_port).await.location().as_str().starts_with(&another_port));
}

#[tokio::test]
async fn a_good_document_is_remembered_for_a_minute() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());

    world.authorize(&client, &[]).await;
    world.pass(59);
    world.authorize(&client, &[]).await;
    assert_eq!(host.requests(), 1);

    world.pass(1);
    world.authorize(&client, &[]).await;
    assert_eq!(host.requests(), 2);

    world.handle.set_quirks(on_loopback());
    world.authorize(&client, &[]).await;
    assert_eq!(host.requests(), 3);
}

#[tokio::test]
async fn a_client_that_describes_itself_has_no_secret_and_acts_for_nobody_but_people() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(on_loopback());
    let machine = [("grant_type", "client_credentials"), ("client_id", client.as_str())];

    let without = world.post_form("/oauth/token", &machine).await;
    let with = [&machine[..], &[("client_secret", "guess")]].concat();
    let with = world.post_form("/oauth/token", &with).await;

    without.is_refused_with(400, "unauthorized_client");
    with.is_refused_with(401, "invalid_client");
}

#[tokio::test]
async fn a_refused_url_is_a_client_that_cannot_be_retrieved() {
    let world = World::with_auto_consent().await;
    let host = DocumentHost::start().await;
    let client = host.client_id();
    world.handle.set_quirks(Quirks { refused_clients: [client.clone()].into(), ..on_loopback() });

    let reply = world.authorize(&client, &[]).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.contains("unable to retrieve client by id"), "{}", reply.body);
    assert_eq!(host.requests(), 0);
    let token = world.refresh(&client, "a refresh token").await;
    token.is_refused_with(401, "invalid_client");
}
