use axum::http::{StatusCode, header};

use crate::Quirks;
use crate::tests::support::World;

#[tokio::test]
async fn a_refused_client_is_unknown_while_the_quirk_is_set() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let another = world.public_client().await;
    let login = world.log_in(&client).await;

    let quirks = Quirks { refused_clients: [client.clone()].into(), ..Quirks::default() };
    world.handle.set_quirks(quirks);

    let refused = world.authorize(&client, &[]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(!refused.headers.contains_key(header::LOCATION));
    assert!(refused.body.contains("unable to retrieve client by id"), "{}", refused.body);
    let refresh = world.refresh(&client, &login.text("refresh_token")).await;
    refresh.has_error(401, "invalid_client");
    assert_eq!(world.log_in(&another).await.status, StatusCode::OK);

    world.handle.set_quirks(Quirks::default());
    let refresh = world.refresh(&client, &login.text("refresh_token")).await;
    assert_eq!(refresh.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_has_the_selected_lifetime() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let lasting = |seconds| Quirks { code_lifetime: Some(seconds), ..Quirks::default() };

    world.handle.set_quirks(lasting(0));
    world.log_in(&client).await.has_error(400, "invalid_grant");

    world.handle.set_quirks(lasting(30));
    let [first, second] = [world.code(&client).await, world.code(&client).await];
    world.advance(29);
    assert_eq!(world.exchange(&client, &first, &[]).await.status, StatusCode::OK);
    world.advance(1);
    world.exchange(&client, &second, &[]).await.has_error(400, "invalid_grant");
}
