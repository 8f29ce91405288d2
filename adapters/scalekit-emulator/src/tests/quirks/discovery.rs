use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::tests::support::{REDIRECT_URI, RESOURCE_ID, World};
use crate::{Cimd, MetadataForm, Quirks, Registration};

async fn metadata(world: &World) -> Value {
    let path = format!("/.well-known/oauth-authorization-server/resources/{RESOURCE_ID}");
    world.get(&path).await.json()
}

#[tokio::test]
async fn metadata_of_before_the_migration_has_the_environment_as_issuer() {
    let world = World::new().await;
    let current = metadata(&world).await;
    let environment = world.handle.environment_url();

    let quirks = Quirks { metadata: MetadataForm::BeforeMigration, ..Quirks::default() };
    world.handle.set_quirks(quirks);

    let mut expected = current;
    expected["issuer"] = json!(environment);
    expected["authorization_endpoint"] = json!(format!("{environment}/oauth/authorize"));
    expected["token_endpoint"] = json!(format!("{environment}/oauth/token"));
    assert_eq!(metadata(&world).await, expected);
}

#[tokio::test]
async fn alternating_metadata_starts_with_the_old_form_each_time_it_is_set() {
    let world = World::new().await;
    let [environment, resource] = [world.handle.environment_url(), world.issuer()];

    for _ in 0..2 {
        let quirks = Quirks { metadata: MetadataForm::Alternating, ..Quirks::default() };
        world.handle.set_quirks(quirks);

        for expected in [&environment, &resource, &environment] {
            assert_eq!(metadata(&world).await["issuer"], **expected);
        }
    }
}

#[tokio::test]
async fn registration_can_be_turned_off() {
    let world = World::new().await;

    for (registration, status) in [
        (Registration::NotFound, StatusCode::NOT_FOUND),
        (Registration::Forbidden, StatusCode::FORBIDDEN),
    ] {
        world.handle.set_quirks(Quirks { registration, ..Quirks::default() });

        let reply = world.register(json!({ "redirect_uris": [REDIRECT_URI] })).await;

        assert_eq!(reply.status, status);
        assert!(!reply.body.contains("client_id"), "{reply:?}");
        assert!(metadata(&world).await.get("registration_endpoint").is_none());
    }
}

#[tokio::test]
async fn a_registered_client_keeps_working_when_registration_is_turned_off() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;

    let quirks = Quirks { registration: Registration::NotFound, ..Quirks::default() };
    world.handle.set_quirks(quirks);

    assert_eq!(world.log_in(&client).await.status, StatusCode::OK);
}

#[tokio::test]
async fn metadata_omits_one_capability_and_nothing_else() {
    let world = World::new().await;
    let mut expected = metadata(&world).await;

    world.handle.set_quirks(Quirks { metadata_without_s256: true, ..Quirks::default() });
    let without_s256 = metadata(&world).await;
    world.handle.set_quirks(Quirks { metadata_without_offline_access: true, ..Quirks::default() });
    let without_offline_access = metadata(&world).await;

    let usual = expected.clone();
    expected.as_object_mut().unwrap().remove("code_challenge_methods_supported");
    assert_eq!(without_s256, expected);
    expected = usual;
    expected["scopes_supported"].as_array_mut().unwrap().retain(|name| name != "offline_access");
    assert_eq!(without_offline_access, expected);
}

#[tokio::test]
async fn metadata_announces_urls_as_client_ids() {
    let world = World::new().await;

    world.handle.set_quirks(Quirks { cimd: Cimd::On, ..Quirks::default() });

    assert_eq!(metadata(&world).await["client_id_metadata_document_supported"], true);
}
