use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::tests::support::{NOW, ORGANIZATION, RESOURCE_ID, SERVER_URL, World, part, to};
use crate::{AudienceClaim, IssuerClaim, OrganizationClaim, Quirks, ScopeForm, TokenRequest};

/// The claims of a token that is minted with these quirks.
fn claims(world: &World, quirks: Quirks) -> Value {
    world.handle.set_quirks(quirks);
    part(&world.handle.mint(&world.handle.token_request()), 1)
}

#[tokio::test]
async fn a_token_has_the_selected_issuer() {
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
async fn an_alternating_issuer_starts_with_the_environment_each_time_it_is_set() {
    let world = World::new().await;
    let mint = || part(&world.handle.mint(&world.handle.token_request()), 1)["iss"].clone();
    let [environment, resource] = [world.handle.environment_url(), world.issuer()];

    for _ in 0..2 {
        world.handle.set_quirks(Quirks { issuer: IssuerClaim::Alternating, ..Quirks::default() });

        let issuers = [mint(), mint(), mint()];
        assert_eq!(issuers, [environment.as_str(), &resource, &environment].map(Value::from));
    }
}

#[tokio::test]
async fn a_token_has_the_selected_audience() {
    let world = World::new().await;
    let another = "res_99999999999999999";

    for (audience, expected, resource) in [
        (AudienceClaim::ServerUrlAndResource, json!([SERVER_URL, RESOURCE_ID]), RESOURCE_ID),
        (AudienceClaim::Resource, json!([RESOURCE_ID]), RESOURCE_ID),
        (AudienceClaim::ResourceAsString, json!(RESOURCE_ID), RESOURCE_ID),
        (AudienceClaim::AnotherResource, json!([SERVER_URL, another]), another),
        (AudienceClaim::ServerUrl, json!([SERVER_URL]), RESOURCE_ID),
    ] {
        let claims = claims(&world, Quirks { audience, ..Quirks::default() });

        assert_eq!((&claims["aud"], &claims["resid"]), (&expected, &json!(resource)));
    }
    let missing = Quirks { audience: AudienceClaim::Missing, ..Quirks::default() };
    assert!(claims(&world, missing).get("aud").is_none());
}

#[tokio::test]
async fn a_token_has_its_scopes_in_the_selected_claims() {
    let world = World::new().await;
    let string = json!("notes:read notes:write");
    let array = json!(["notes:read", "notes:write"]);

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
async fn a_token_has_its_organization_in_the_selected_claim() {
    let world = World::new().await;

    for (organization, expected) in [
        (OrganizationClaim::Oid, json!({ "oid": ORGANIZATION })),
        (OrganizationClaim::OrgId, json!({ "org_id": ORGANIZATION })),
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
async fn an_access_token_has_the_selected_lifetime() {
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
    let minted = part(&world.handle.mint(&world.handle.token_request()), 1);
    assert_eq!(minted["exp"], NOW + 3600);
}

#[tokio::test]
async fn a_login_grants_only_permitted_scopes() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let only_read =
        Quirks { permissions: Some(vec!["notes:read".to_owned()]), ..Quirks::default() };
    world.handle.set_quirks(only_read);

    let login = world.log_in(&client).await;

    assert_eq!(login.text("scope"), "notes:read offline_access");
    assert_eq!(login.claims()["scope"], "notes:read offline_access");
}

#[tokio::test]
async fn a_revoked_permission_is_gone_at_the_next_refresh() {
    let world = World::with_auto_consent().await;
    let client = world.public_client().await;
    let login = world.log_in(&client).await;
    assert_eq!(login.text("scope"), "notes:read notes:write offline_access");

    world.handle.set_quirks(Quirks { permissions: Some(Vec::new()), ..Quirks::default() });
    let without = world.refresh(&client, &login.text("refresh_token")).await;
    world.handle.set_quirks(Quirks::default());
    let again = world.refresh(&client, &without.text("refresh_token")).await;

    assert_eq!(without.text("scope"), "offline_access");
    assert_eq!(again.text("scope"), login.text("scope"));
}

#[tokio::test]
async fn userinfo_accepts_tokens_with_one_scope_claim() {
    let world = World::new().await;
    let request = TokenRequest { scopes: vec!["email".to_owned()], ..world.handle.token_request() };

    for scope_form in [ScopeForm::ScopeString, ScopeForm::ScopesArray] {
        world.handle.set_quirks(Quirks { scope_form, ..Quirks::default() });
        let bearer = format!("Bearer {}", world.handle.mint(&request));

        let request = to("GET", "/userinfo").header("authorization", bearer);
        let reply = world.send(request.body(axum::body::Body::empty()).unwrap()).await;

        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.json()["email"], "developer@localhost", "{scope_form:?}");
    }
}
