//! A code or a refresh token that is used twice was stolen, or will be: what was issued from it ends.

use axum::http::StatusCode;
use tempfile::TempDir;

use super::support::{VERIFIER, World};

/// RFC 6749 section 4.1.2.
#[tokio::test]
async fn a_replayed_code_revokes_the_tokens_that_were_issued_from_it() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let other_login = world.log_in(&client).await.text("refresh_token");
    let code = world.code(&client).await;
    let first = world.exchange(&client, &code, &[]).await.text("refresh_token");
    let rotated = world.refresh(&client, &first).await.text("refresh_token");

    world.exchange(&client, &code, &[]).await.has_error(400, "invalid_grant");

    world.refresh(&client, &rotated).await.has_error(400, "invalid_grant");
    assert_eq!(world.refresh(&client, &other_login).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_replayed_by_whoever_has_it_and_however_late() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let another = world.public_client().await;
    let wrong = VERIFIER.replace('d', "e");

    for change in [("client_id", another.as_str()), ("code_verifier", &wrong)] {
        let code = world.code(&client).await;
        let token = world.exchange(&client, &code, &[]).await.text("refresh_token");
        world.advance(24 * 3600);

        world.exchange(&client, &code, &[change]).await.has_error(400, "invalid_grant");

        world.refresh(&client, &token).await.has_error(400, "invalid_grant");
    }
}

#[tokio::test]
async fn of_two_exchanges_at_once_neither_leaves_a_refresh_token() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let code = world.code(&client).await;

    let (one, other) =
        tokio::join!(world.exchange(&client, &code, &[]), world.exchange(&client, &code, &[]));

    let (granted, rejected) =
        if one.status == StatusCode::OK { (one, other) } else { (other, one) };
    rejected.has_error(400, "invalid_grant");
    let token = granted.text("refresh_token");
    world.refresh(&client, &token).await.has_error(400, "invalid_grant");
}

/// RFC 9700 section 4.14.2.
#[tokio::test]
async fn a_replayed_refresh_token_revokes_those_that_came_after_it() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity");
    let world = World::with_state_file(file.clone()).await;
    let client = world.public_client().await;
    let other_login = world.log_in(&client).await.text("refresh_token");
    let first = world.log_in(&client).await.text("refresh_token");
    let second = world.refresh(&client, &first).await.text("refresh_token");
    let third = world.refresh(&client, &second).await.text("refresh_token");
    drop(world);

    let world = World::with_state_file(file).await;
    world.refresh(&client, &first).await.has_error(400, "invalid_grant");

    world.refresh(&client, &third).await.has_error(400, "invalid_grant");
    assert_eq!(world.refresh(&client, &other_login).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_made_up_or_foreign_refresh_token_revokes_nothing() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let another = world.public_client().await;
    let first = world.log_in(&client).await.text("refresh_token");
    let second = world.refresh(&client, &first).await.text("refresh_token");

    for token in ["made-up", ".", "", second.split_once('.').unwrap().1] {
        let refused = world.refresh(&client, token).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{token}");
    }
    for token in [&first, &second] {
        world.refresh(&another, token).await.has_error(400, "invalid_grant");
    }

    assert_eq!(world.refresh(&client, &second).await.status, StatusCode::OK);
}

/// RFC 7009 section 2.1.
#[tokio::test]
async fn revoking_an_old_refresh_token_ends_the_login_as_well() {
    let world = World::with_auto_consent().await;
    let (client, secret) = world.confidential_client().await;
    let credentials = [("client_id", client.as_str()), ("client_secret", secret.as_str())];
    let code = world.code(&client).await;
    let old = world.exchange(&client, &code, &credentials).await.text("refresh_token");
    let refresh = async |token: &str| {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", token)];
        world.post_form("/oauth/token", &[&credentials[..], &grant].concat()).await
    };
    let current = refresh(&old).await.text("refresh_token");

    let form = [&credentials[..], &[("token", old.as_str())]].concat();
    assert_eq!(world.post_form("/oauth/revoke", &form).await.status, StatusCode::OK);

    refresh(&current).await.has_error(400, "invalid_grant");
}
