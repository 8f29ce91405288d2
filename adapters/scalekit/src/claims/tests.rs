use serde_json::{Value, json};
use todo_application::ports::Principal;

use super::*;
use crate::test_tokens::{NOW, RESOURCE_ID, changed, user_claims};

const ENVIRONMENT: &str = "https://acme.scalekit.com";

fn check_text_at(text: &str, unix_millis: i64) -> Result<VerifiedToken, Rejection> {
    let environment = ScalekitEnvironment::new(ENVIRONMENT, RESOURCE_ID).expect("an environment");
    SignedClaims::parse(text)?.check(&environment, instant(unix_millis))
}

/// Checks the claims of a good user token with some of them changed, at [`NOW`].
fn check_with(changes: &Value) -> Result<VerifiedToken, Rejection> {
    check_with_at(changes, NOW * 1000)
}

fn check_with_at(changes: &Value, unix_millis: i64) -> Result<VerifiedToken, Rejection> {
    let claims = changed(user_claims(ENVIRONMENT), changes);
    check_text_at(&claims.to_string(), unix_millis)
}

fn instant(unix_millis: i64) -> Instant {
    Instant::from_unix_millis(unix_millis).expect("an instant")
}

fn scopes(token: &VerifiedToken) -> Vec<&'static str> {
    token.permissions().iter().map(Permission::scope).collect()
}

#[test]
fn the_principal_is_what_the_claims_say() {
    let token = check_with(&json!({})).expect("a principal");
    assert_eq!(token.subject().as_str(), "usr_1");
    assert_eq!(token.organization().map(Organization::as_str), Some("org_1"));
    assert_eq!(token.client().map(ClientId::as_str), Some("m2m_1"));
    assert_eq!(scopes(&token), ["todo:read"]);
    assert_eq!(token.expires_at(), instant((NOW + 3600) * 1000));
}

#[test]
fn a_machine_has_no_organization_and_is_its_own_client() {
    let token = check_with(&json!({
        "sub": "m2m_1", "oid": null, "sid": null, "scope": null, "scopes": ["todo:write"],
    }))
    .expect("a principal");
    assert_eq!(token.subject().as_str(), "m2m_1");
    assert_eq!(token.organization(), None);
    assert_eq!(scopes(&token), ["todo:write"]);
}

#[test]
fn either_issuer_is_accepted_byte_for_byte_and_no_other() {
    for accepted in ["https://acme.scalekit.com", "https://acme.scalekit.com/resources/res_1"] {
        assert!(check_with(&json!({"iss": accepted})).is_ok(), "{accepted}");
    }
    for refused in [
        "",
        "https://acme.scalekit.com/",
        "https://ACME.scalekit.com",
        "https://acme.scalekit.com:443",
        "http://acme.scalekit.com",
        "https://acme.scalekit.com/resources/res_1/",
        "https://acme.scalekit.com/resources/res_2",
        "https://acme.scalekit.com.example.com",
    ] {
        assert_eq!(check_with(&json!({"iss": refused})), Err(Rejection::Issuer), "{refused}");
    }
}

#[test]
fn the_audience_is_or_holds_the_resource_id() {
    for accepted in [
        json!("res_1"),
        json!(["res_1"]),
        json!(["http://localhost:3002/", "res_1"]),
        json!(["res_2", "res_1"]),
    ] {
        assert!(check_with(&json!({"aud": accepted})).is_ok(), "{accepted}");
    }
    for refused in [
        json!("http://localhost:3002/"),
        json!(["http://localhost:3002/"]),
        json!("http://localhost:3002/mcp"),
        json!("res_2"),
        json!("res_1 res_2"),
        json!("RES_1"),
        json!(""),
        json!([]),
    ] {
        assert_eq!(check_with(&json!({"aud": refused})), Err(Rejection::Audience), "{refused}");
    }
}

#[test]
fn a_required_claim_that_is_missing_or_null_is_named() {
    for name in ["iss", "aud", "exp", "sub"] {
        let missing = check_with(&json!({ name: null })).expect_err("a rejection");
        assert_eq!(missing, Rejection::MissingClaim(name));
        let mut claims = user_claims(ENVIRONMENT);
        claims[name] = Value::Null;
        let null = check_text_at(&claims.to_string(), NOW * 1000).expect_err("a rejection");
        assert_eq!(null, Rejection::MissingClaim(name));
    }
}

#[test]
fn a_claim_of_the_wrong_type_or_size_is_named() {
    let long = |bytes: usize| json!("x".repeat(bytes));
    for (name, values) in [
        ("iss", vec![json!(1), json!([ENVIRONMENT]), json!({})]),
        ("aud", vec![json!(1), json!({}), json!([1]), json!(["res_1", null])]),
        ("exp", vec![json!("1795343600"), json!(true), json!(-1), json!(1e300), json!([])]),
        ("nbf", vec![json!("1795340000"), json!(-0.5), json!(1e18)]),
        ("iat", vec![json!("1795340000"), json!({})]),
        ("sub", vec![json!(1), json!(""), json!("a\nb"), json!(["usr_1"]), long(256)]),
        ("oid", vec![json!(1), json!(""), json!(["org_1"]), long(256)]),
        ("client_id", vec![json!(1), json!(""), long(2049)]),
        ("scope", vec![json!(1), json!({}), json!([1])]),
        ("scopes", vec![json!(true), json!([["todo:read"]])]),
        ("scp", vec![json!(0)]),
    ] {
        for value in values {
            assert_eq!(
                check_with(&json!({ name: value })),
                Err(Rejection::MalformedClaim(name)),
                "{name} {value}"
            );
        }
    }
    assert_eq!(
        check_with(&json!({"oid": null, "org_id": 1})),
        Err(Rejection::MalformedClaim("org_id"))
    );
    assert_eq!(
        check_with(&json!({"client_id": null, "azp": 1})),
        Err(Rejection::MalformedClaim("azp"))
    );
}

#[test]
fn a_token_is_expired_from_the_instant_in_exp_on() {
    let expires_at = (NOW + 10) * 1000;
    for (exp, now, expected) in [
        (json!(NOW + 10), expires_at - 1, Ok(instant(expires_at))),
        (json!(NOW + 10), expires_at, Err(Rejection::Expired(instant(expires_at)))),
        (json!(NOW + 10), expires_at + 1, Err(Rejection::Expired(instant(expires_at)))),
        (json!(1_795_340_010.5), expires_at + 499, Ok(instant(expires_at + 500))),
        (
            json!(1_795_340_010.5),
            expires_at + 500,
            Err(Rejection::Expired(instant(expires_at + 500))),
        ),
        (json!(0), expires_at, Err(Rejection::Expired(instant(0)))),
    ] {
        assert_eq!(
            check_with_at(&json!({ "exp": exp }), now).map(|token| token.expires_at()),
            expected,
            "exp {exp} at {now}"
        );
    }
}

#[test]
fn a_token_is_good_up_to_a_minute_before_nbf_and_iat() {
    for name in ["nbf", "iat"] {
        for (seconds, now, expected) in [
            (NOW + 60, NOW * 1000, Ok(())),
            (NOW + 61, NOW * 1000, Err(Rejection::NotYetValid(instant((NOW + 61) * 1000)))),
            (NOW + 61, NOW * 1000 + 999, Err(Rejection::NotYetValid(instant((NOW + 61) * 1000)))),
            (NOW + 61, (NOW + 1) * 1000, Ok(())),
            (0, NOW * 1000, Ok(())),
        ] {
            assert_eq!(
                check_with_at(&json!({ name: seconds }), now).map(|_| ()),
                expected,
                "{name} {seconds} at {now}"
            );
        }
        assert!(check_with(&json!({ name: null })).is_ok(), "no {name}");
    }
}

#[test]
fn what_scope_scopes_and_scp_grant_is_added_up() {
    for (granted, expected) in [
        (json!({"scope": "todo:read todo:write"}), vec!["todo:read", "todo:write"]),
        (json!({"scope": "todo:read\ttodo:write "}), vec!["todo:read", "todo:write"]),
        (json!({"scope": ["todo:write"]}), vec!["todo:write"]),
        (json!({"scopes": ["todo:write", "todo:read"]}), vec!["todo:read", "todo:write"]),
        (json!({"scopes": "todo:write"}), vec!["todo:write"]),
        (json!({"scp": "todo:read"}), vec!["todo:read"]),
        (json!({"scp": ["todo:read"]}), vec!["todo:read"]),
        (json!({"scope": "todo:read", "scopes": ["todo:write"]}), vec!["todo:read", "todo:write"]),
        (json!({"scope": "", "scopes": []}), vec![]),
        (json!({"scope": "todo:read,todo:write"}), vec![]),
        (json!({"scope": "TODO:READ todo todo:*"}), vec![]),
        (json!({"scopes": ["todo:read todo:write"]}), vec![]),
        (json!({}), vec![]),
    ] {
        let without = json!({"scope": null, "scopes": null});
        let claims = changed(changed(user_claims(ENVIRONMENT), &without), &granted);
        let token = check_text_at(&claims.to_string(), NOW * 1000).expect("a principal");
        assert_eq!(scopes(&token), expected, "{granted}");
    }
}

#[test]
fn oid_comes_before_org_id_and_client_id_before_azp() {
    let both = check_with(&json!({"org_id": "org_2", "azp": "m2m_2"})).expect("a principal");
    assert_eq!(both.organization().map(Organization::as_str), Some("org_1"));
    assert_eq!(both.client().map(ClientId::as_str), Some("m2m_1"));
    let second = check_with(&json!({
        "oid": null, "client_id": null, "org_id": "org_2", "azp": "https://client.example/app.json",
    }))
    .expect("a principal");
    assert_eq!(second.organization().map(Organization::as_str), Some("org_2"));
    assert_eq!(second.client().map(ClientId::as_str), Some("https://client.example/app.json"));
    let neither = check_with(&json!({"oid": null, "client_id": null})).expect("a principal");
    assert_eq!((neither.organization(), neither.client()), (None, None));
}

#[test]
fn the_first_rule_that_is_broken_is_the_one_that_is_named() {
    let mut broken = json!({
        "iss": "https://example.com",
        "aud": "res_2",
        "exp": NOW,
        "nbf": NOW + 3600,
        "iat": NOW + 7200,
        "sub": "",
        "oid": "",
        "client_id": "",
        "scope": 1,
    });
    for (name, rejection) in [
        ("iss", Rejection::Issuer),
        ("aud", Rejection::Audience),
        ("exp", Rejection::Expired(instant(NOW * 1000))),
        ("nbf", Rejection::NotYetValid(instant((NOW + 3600) * 1000))),
        ("iat", Rejection::NotYetValid(instant((NOW + 7200) * 1000))),
        ("sub", Rejection::MalformedClaim("sub")),
        ("oid", Rejection::MalformedClaim("oid")),
        ("client_id", Rejection::MalformedClaim("client_id")),
        ("scope", Rejection::MalformedClaim("scope")),
    ] {
        assert_eq!(check_with(&broken), Err(rejection));
        broken.as_object_mut().expect("an object").remove(name);
    }
    assert!(check_with(&broken).is_ok());
}

#[test]
fn what_is_not_one_object_with_single_claims_is_malformed() {
    let good = user_claims(ENVIRONMENT).to_string();
    for text in [
        "",
        "null",
        "[]",
        "\"usr_1\"",
        "{",
        &format!("[{good}]"),
        &format!("{good}{good}"),
        &good.replacen('{', "{\"sub\": \"usr_2\",", 1),
        &good.replacen('{', "{\"exp\": 9999999999,", 1),
        &good.replacen('{', "{\"\\u0061ud\": [\"res_1\"],", 1),
    ] {
        assert_eq!(check_text_at(text, NOW * 1000), Err(Rejection::Malformed), "{text}");
    }
}
