use axum::http::{StatusCode, header};

use super::support::{REDIRECT_URI, Reply, World, form_request};

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

/// The decision of a browser that adds these headers to the form of `page`.
async fn decide_with(world: &World, page: &Reply, headers: &[(&'static str, &str)]) -> Reply {
    let request = page.hidden_request();
    let form = [("request", request.as_str()), ("decision", "allow"), ("scope", "notes:read")];
    let mut request = form_request("/oauth/consent", &form);
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    world.send(request).await
}

/// RFC 9700 section 4.7: no other site decides in the name of a person.
#[tokio::test]
async fn a_decision_from_a_foreign_origin_is_rejected_and_decides_nothing() {
    let world = World::new().await;
    let client = world.public_client().await;
    let page = world.authorize(&client, &[]).await;
    let own = ("origin", "http://127.0.0.1:3003");

    for headers in [
        &[("origin", "https://client.example")][..],
        &[("origin", "http://localhost:6274")],
        &[("origin", "http://127.0.0.1:6274")],
        &[("origin", "https://127.0.0.1:3003")],
        &[("origin", "null")],
        &[own, own],
        &[("sec-fetch-site", "cross-site")],
        &[own, ("sec-fetch-site", "cross-site")],
        &[own, ("sec-fetch-site", "same-site")],
        &[("origin", "http://localhost:6274"), ("sec-fetch-site", "same-origin")],
    ] {
        let refused = decide_with(&world, &page, headers).await;

        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert!(!refused.headers.contains_key(header::LOCATION));
        assert!(refused.body.contains("<h1>This came from another page</h1>"), "{headers:?}");
        assert!(refused.body.contains("What to do"), "{headers:?}");
    }
    let allowed = decide_with(&world, &page, &[own, ("sec-fetch-site", "same-origin")]).await;
    assert!(!allowed.redirected("code").is_empty());
}

#[tokio::test]
async fn a_decision_from_the_page_itself_is_accepted() {
    let world = World::new().await;
    let client = world.public_client().await;

    for headers in [
        &[][..],
        &[("origin", "http://127.0.0.1:3003")],
        &[("sec-fetch-site", "same-origin")],
        // A browser that never says where a person comes from.
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
    ] {
        let page = world.authorize(&client, &[]).await;

        let allowed = decide_with(&world, &page, headers).await;

        assert_eq!(allowed.status, StatusCode::SEE_OTHER, "{headers:?}");
    }
}
