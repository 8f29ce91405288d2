use axum::http::StatusCode;

use super::support::{REDIRECT_URI, World};

#[tokio::test]
async fn allowing_redirects_to_the_client_with_a_code() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[]).await;
    let answer = world.decide(&page, &["notes:read", "notes:write"], "allow").await;

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().as_str().starts_with(REDIRECT_URI));
    assert_eq!(answer.redirected("state"), "the state");
    assert_eq!(answer.redirected("iss"), world.issuer());
}

#[tokio::test]
async fn a_scope_that_was_unticked_is_not_granted() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[]).await;
    let code = world.decide(&page, &["notes:read"], "allow").await.redirected("code");
    let tokens = world.exchange(&client, &code, &[]).await;

    assert_eq!(tokens.text("scope"), "notes:read");
    assert_eq!(tokens.claims()["scopes"], serde_json::json!(["notes:read"]));
    assert!(tokens.json().get("refresh_token").is_none());
}

#[tokio::test]
async fn a_form_cannot_grant_more_than_was_requested() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[("scope", "notes:read")]).await;
    let answer = world.decide(&page, &["notes:read", "notes:write"], "allow").await;
    let tokens = world.exchange(&client, &answer.redirected("code"), &[]).await;

    assert_eq!(tokens.text("scope"), "notes:read");
}

#[tokio::test]
async fn denying_redirects_to_the_client_with_an_error() {
    let world = World::new().await;
    let client = world.public_client().await;

    for (scopes, decision) in
        [(vec!["notes:read"], "deny"), (vec!["notes:read"], ""), (vec![], "allow")]
    {
        let page = world.authorize(&client, &[]).await;
        let answer = world.decide(&page, &scopes, decision).await;

        assert_eq!(answer.redirected("error"), "access_denied", "{scopes:?} {decision}");
        assert_eq!(answer.redirected("state"), "the state");
        assert_eq!(answer.redirected("iss"), world.issuer());
    }
}

#[tokio::test]
async fn a_page_is_valid_for_one_decision() {
    let world = World::new().await;
    let client = world.public_client().await;
    let page = world.authorize(&client, &[]).await;

    world.decide(&page, &[], "deny").await.location();
    let again = world.decide(&page, &["notes:write"], "allow").await;

    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("answered already"));
}

#[tokio::test]
async fn a_page_is_valid_for_ten_minutes() {
    let world = World::new().await;
    let client = world.public_client().await;
    let page = world.authorize(&client, &[]).await;

    world.advance(600);

    let late = world.decide(&page, &["notes:read"], "allow").await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_decision_on_an_unknown_request_is_rejected() {
    let world = World::new().await;

    let form = [("request", "made-up"), ("decision", "allow"), ("scope", "notes:read")];
    let reply = world.post_form("/oauth/consent", &form).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}
