use axum::http::StatusCode;

use super::support::{REDIRECT_URI, World};

#[tokio::test]
async fn allowing_sends_the_person_back_with_a_code() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[]).await;
    let answer = world.decide(&page, &["todo:read", "todo:write"], "allow").await;

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().as_str().starts_with(REDIRECT_URI));
    assert_eq!(answer.answered("state"), "the state");
    assert_eq!(answer.answered("iss"), world.issuer());
}

#[tokio::test]
async fn a_scope_that_was_unticked_is_not_granted() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[]).await;
    let code = world.decide(&page, &["todo:read"], "allow").await.answered("code");
    let tokens = world.exchange(&client, &code, &[]).await;

    assert_eq!(tokens.text("scope"), "todo:read");
    assert_eq!(tokens.claims()["scopes"], serde_json::json!(["todo:read"]));
    assert!(tokens.json().get("refresh_token").is_none());
}

#[tokio::test]
async fn a_form_cannot_grant_more_than_was_asked_for() {
    let world = World::new().await;
    let client = world.public_client().await;

    let page = world.authorize(&client, &[("scope", "todo:read")]).await;
    let answer = world.decide(&page, &["todo:read", "todo:write"], "allow").await;
    let tokens = world.exchange(&client, &answer.answered("code"), &[]).await;

    assert_eq!(tokens.text("scope"), "todo:read");
}

#[tokio::test]
async fn denying_tells_the_client() {
    let world = World::new().await;
    let client = world.public_client().await;

    for (scopes, decision) in
        [(vec!["todo:read"], "deny"), (vec!["todo:read"], ""), (vec![], "allow")]
    {
        let page = world.authorize(&client, &[]).await;
        let answer = world.decide(&page, &scopes, decision).await;

        assert_eq!(answer.answered("error"), "access_denied", "{scopes:?} {decision}");
        assert_eq!(answer.answered("state"), "the state");
        assert_eq!(answer.answered("iss"), world.issuer());
    }
}

#[tokio::test]
async fn a_page_is_good_for_one_decision() {
    let world = World::new().await;
    let client = world.public_client().await;
    let page = world.authorize(&client, &[]).await;

    world.decide(&page, &[], "deny").await.location();
    let again = world.decide(&page, &["todo:write"], "allow").await;

    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("answered already"));
}

#[tokio::test]
async fn a_page_is_good_for_ten_minutes() {
    let world = World::new().await;
    let client = world.public_client().await;
    let page = world.authorize(&client, &[]).await;

    world.pass(600);

    let late = world.decide(&page, &["todo:read"], "allow").await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_decision_about_nothing_is_refused() {
    let world = World::new().await;

    let form = [("request", "made-up"), ("decision", "allow"), ("scope", "todo:read")];
    let reply = world.post_form("/oauth/consent", &form).await;

    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}
