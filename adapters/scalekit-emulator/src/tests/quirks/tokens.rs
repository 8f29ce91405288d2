use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    AudienceClaim, IssuerClaim, LOCAL_ORGANIZATION, LOCAL_RESOURCE_ID, OrganizationClaim, Quirks,
    ScopeForm, TokenRequest,
    tests::support::{NOW, SERVER_URL, World, part},
};

/// The claims of a token that is minted under these quirks.
fn claims(world: &World, quirks: Quirks) -> Value {
    world.handle.set_quirks(quirks);
    part(&world.handle.mint(&TokenRequest::default()), 1)
}

#[tokio::test]
async fn a_token_names_the_issuer_that_was_chosen() {
    let world = World::new().await;
    let environment = world.handle.environment_url();

    for (issuer, expected) in [
        (IssuerClaim::Environment, environment.as_str()),
        (IssuerClaim::Resource, &world.issuer()),
        (IssuerClaim::Foreign, "https://foreign.scalekit.example"),
    ] {
        let claims = claims(&world, Quirks { issuer, ..Quirks::default() });

        assert_eq!(claims["iss"], expected, "{issuer:?}");
    }
}

#[tokio::test]
async fn an_alternating_issuer_begins_with_the_environment_each_time_it_is_set() {
    let world = World::new().await;
    let mint = || part(&world.handle.mint(&TokenRequest::default()), 1)["iss"].clone();
    let [environment, resource] = [world.handle.environment_url(), world.issuer()];

    for _ in 0..2 {
        world.handle.set_quirks(Quirks { issuer: IssuerClaim::Alternating, ..Quirks::default() });

        let issuers = [mint(), mint(), mint()];
        assert_eq!(issuers, [environment.as_str(), &resource, &environment].map(Value::from));
    }
}

#[tokio::test]
async fn a_token_names_the_audience_that_was_chosen() {
    let world = World::new().await;
    let another = "res_99999999999999999";

    for (audience, expected, resource) in [
        (
            AudienceClaim::ServerUrlAndResource,
            json!([SERVER_URL, LOCAL_RESOURCE_ID]),
            LOCAL_RESOURCE_ID,
        ),
        (AudienceClaim::Resource, json!([LOCAL_RESOURCE_ID]), LOCAL_RESOURCE_ID),
        (AudienceClaim::ResourceAsString, json!(LOCAL_RESOURCE_ID), LOCAL_RESOURCE_ID),
        (AudienceClaim::AnotherResource, json!([SERVER_URL, another]), another),
        (AudienceClaim::ServerUrl, json!([SERVER_URL]), LOCAL_RESOURCE_ID),
    ] {
        let claims = claims(&world, Quirks { audience, ..Quirks::default() });

        assert_eq!((&claims["aud"], &claims["resid"]), (&expected, &json!(resource)));
    }
    let missing = Quirks { audience: AudienceClaim::Missing, ..Quirks::default() };
    assert!(claims(&world, missing).get("aud").is_none());
}

#[tokio::test]
async fn a_token_names_its_scopes_in_the_form_that_was_chosen() {
    let world = World::new().await;
    let string = json!("todo:read todo:write");
    let array = json!(["todo:read", "todo:write"]);

    for (scope_form, expected) in [
        (ScopeForm::Both, json!({ "scope": string, "scopes": array })),
        (ScopeForm::ScopeString, json!({ "scope": string })),
        (ScopeForm::ScopesArray, json!({ "scopes": array })),
        (ScopeForm::ScpString, json!({ "scp": string })),
        (ScopeForm::ScpArray, json!({ "scp": array })),
        (ScopeForm::Missing, json!({})),
    ] {
        let mut claims = claims(&world, Quirks { scope_form, ..Quirks::default() });

        claims.as_object_mut().unwrap().retain(|name, _| name.starts_with("sc"));
        assert_eq!(claims, expected, "{scope_form:?}");
    }
}

#[tokio::test]
async fn a_token_names_its_organization_by_the_claim_that_was_chosen() {
    let world = World::new().await;

    for (organization, expected) in [
        (OrganizationClaim::Oid, json!({ "oid": LOCAL_ORGANIZATION })),
        (OrganizationClaim::OrgId, json!({ "org_id": LOCAL_ORGANIZATION })),
        (OrganizationClaim::Missing, json!({})),
    ] {
        let mut claims = claims(&world, Quirks { organization, ..Quirks::default() });

        claims.as_object_mut().unwrap().retain(|name, _| name.starts_with('o'));
        assert_eq!(claims, expected, "{organization:?}");
    }
}

#[tokio::test]
async fn a_skewed_clock_moves_all_three_times() {
    let world = World::new().await;

    for skew in [-90, 90] {
        let claims = claims(&world, Quirks { clock_skew: skew, ..Quirks::default() });

        let times = [&claims["iat"], &claims["nbf"], &claims["exp"]];
        assert_eq!(times, [NOW + skew, NOW + skew, NOW + skew + 3600].map(Value::from).each_ref());
    }
}

#[tokio::test]
async fn a_login_lasts_as_long_as_was_set() {
    let world = World::with_auto_consent().await;
    world.handle.set_quirks(Quirks { token_lifetime: Some(5), ..Quirks::default() });
    let (client, secret) = world.confidential_client().await;
    let code = world.code(&client).await;

    let login = world.exchange(&client, &code, &[("client_secret", &secret)]).await;
    let form =
        [("grant_type", "client_credentials"), ("client_id", &client), ("client_secret", &secret)];
    let machine = world.post_form("/oauth/token", &form).await;

    for tokens in [login, machine] {
        assert_eq!(tokens.json()["expires_in"], 5);
        assert_eq!(tokens.claims()["exp"], NOW + 5);
    }
    let minted = part(&world.handle.mint(&TokenRequest::default()), 1);
    assert_eq!(minted["exp"], NOW + 3600);
}

#[tokio::test]
async fn a_person_grants_no_more_than_they_may() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let may_read = Quirks { permissions: Some(vec!["todo:read".to_owned()]), ..Quirks::default() };
    world.handle.set_quirks(may_read);

    let login = world.log_in(&client).await;

    assert_eq!(login.text("scope"), "todo:read offline_access");
    assert_eq!(login.claims()["scope"], "todo:read offline_access");
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_gone_at_the_next_refresh() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let login = world.log_in(&client).await;
    assert_eq!(login.text("scope"), "todo:read todo:write offline_access");

    world.handle.set_quirks(Quirks { permissions: Some(Vec::new()), ..Quirks::default() });
    let without = world.refresh(&client, &login.text("refresh_token")).await;
    world.handle.set_quirks(Quirks::default());
    let again = world.refresh(&client, &without.text("refresh_token")).await;

    assert_eq!(without.text("scope"), "offline_access");
    assert_eq!(again.text("scope"), login.text("scope"));
}

#[tokio::test]
async fn userinfo_understands_tokens_with_one_scope_claim() {
    let world = World::new().await;
    let request = TokenRequest { scopes: vec!["email".to_owned()], ..TokenRequest::default() };

    for scope_form in [ScopeForm::ScopeString, ScopeForm::ScopesArray] {
        world.handle.set_quirks(Quirks { scope_form, ..Quirks::default() });
        let bearer = format!("Bearer {}", world.handle.mint(&request));

        let asked = crate::tests::support::to("GET", "/userinfo").header("authorization", bearer);
        let reply = world.send(asked.body(axum::body::Body::empty()).unwrap()).await;

        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.json()["email"], "developer@localhost", "{scope_form:?}");
    }
}
