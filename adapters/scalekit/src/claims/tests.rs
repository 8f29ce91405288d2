use std::sync::LazyLock;

use protected_mcp::Revoker;
use serde_json::json;

use super::*;
use crate::test_tokens::{NOW, RESOURCE_ID, changed, user_claims};

const ENVIRONMENT: &str = "https://acme.scalekit.com";
/// Callers are equal only if the same key vouches for them.
static VOUCHING: LazyLock<Revoker> = LazyLock::new(Revoker::new);

fn rules() -> Rules {
    let environment = ScalekitEnvironment::new(ENVIRONMENT, RESOURCE_ID).expect("an environment");
    Rules::new(Arc::new(environment))
}

fn apply(rules: &Rules, text: &str, unix_millis: u64) -> Result<Accepted, InvalidToken> {
    let payload = SignedPayload::assumed(text);
    rules.apply(&payload, instant(unix_millis), VOUCHING.revocation())
}

fn check_text_at(text: &str, unix_millis: u64) -> Result<Arc<Caller>, InvalidToken> {
    apply(&rules(), text, unix_millis).map(|accepted| accepted.caller)
}

/// Checks the claims of a valid user token with some of them changed, at [`NOW`].
fn check_with(changes: &Value) -> Result<Arc<Caller>, InvalidToken> {
    check_with_at(changes, NOW * 1000)
}

fn check_with_at(changes: &Value, unix_millis: u64) -> Result<Arc<Caller>, InvalidToken> {
    let claims = changed(user_claims(ENVIRONMENT), changes);
    check_text_at(&claims.to_string(), unix_millis)
}

fn instant(unix_millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(unix_millis)
}

fn text(identifier: Option<&Arc<str>>) -> Option<&str> {
    identifier.map(AsRef::as_ref)
}

#[test]
fn the_caller_has_what_the_claims_hold() {
    let caller = check_with(&json!({})).expect("a caller");
    assert_eq!(caller.subject().as_ref(), "usr_1");
    assert_eq!(text(caller.organization()), Some("org_1"));
    assert_eq!(text(caller.client()), Some("m2m_1"));
    assert_eq!(caller.scopes().to_string(), "openid offline_access notes:read");
    assert_eq!(caller.expires_at(), instant((NOW + 3600) * 1000));
}

#[test]
fn a_machine_has_no_organization_and_is_its_own_client() {
    let caller = check_with(&json!({
        "sub": "m2m_1", "oid": null, "sid": null, "scope": null, "scopes": ["notes:write"],
    }))
    .expect("a caller");
    assert_eq!(caller.subject().as_ref(), "m2m_1");
    assert_eq!(caller.organization(), None);
    assert_eq!(caller.scopes().to_string(), "notes:write");
}

#[test]
fn both_issuers_are_accepted_byte_for_byte_and_no_other() {
    for accepted in ["https://acme.scalekit.com", "https://acme.scalekit.com/resources/res_1"] {
        assert!(check_with(&json!({"iss": accepted})).is_ok(), "{accepted}");
    }
    for rejected in [
        "",
        "https://acme.scalekit.com/",
        "https://ACME.scalekit.com",
        "https://acme.scalekit.com:443",
        "http://acme.scalekit.com",
        "https://acme.scalekit.com/resources/res_1/",
        "https://acme.scalekit.com/resources/res_2",
        "https://acme.scalekit.com.example.com",
    ] {
        assert_eq!(check_with(&json!({"iss": rejected})), Err(InvalidToken::Issuer), "{rejected}");
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
    for rejected in [
        json!("http://localhost:3002/"),
        json!(["http://localhost:3002/"]),
        json!("http://localhost:3002/mcp"),
        json!("res_2"),
        json!("res_1 res_2"),
        json!("RES_1"),
        json!(""),
        json!([]),
    ] {
        assert_eq!(
            check_with(&json!({"aud": rejected})),
            Err(InvalidToken::Audience),
            "{rejected}"
        );
    }
}

#[test]
fn a_token_that_expires_after_the_year_9999_expires_in_it() {
    let last = 253_402_128_000_000;
    for (exp, millis) in [
        (json!(253_370_764_800_i64), 253_370_764_800_000),
        (json!(253_402_127_999_i64), 253_402_127_999_000),
        (json!(253_402_214_400_i64), last),
        (json!(253_402_300_799_i64), last),
        (json!(253_402_300_799.999), last),
        (json!(253_402_300_800_i64), last),
        (json!(u64::MAX), last),
        (json!(1e300), last),
    ] {
        let caller = check_with(&json!({ "exp": exp })).expect("a caller");
        assert_eq!(caller.expires_at(), instant(millis), "{exp}");
    }
}

#[test]
fn a_required_claim_that_is_missing_or_null_is_reported_by_name() {
    for name in ["iss", "aud", "exp", "sub"] {
        let missing = check_with(&json!({ name: null })).expect_err("a rejection");
        assert_eq!(missing, InvalidToken::MissingClaim(name));
        let mut claims = user_claims(ENVIRONMENT);
        claims[name] = Value::Null;
        let null = check_text_at(&claims.to_string(), NOW * 1000).expect_err("a rejection");
        assert_eq!(null, InvalidToken::MissingClaim(name));
    }
}

#[test]
fn a_claim_of_the_wrong_type_or_size_is_reported_by_name() {
    let long = |bytes: usize| json!("x".repeat(bytes));
    for (name, values) in [
        ("iss", vec![json!(1), json!([ENVIRONMENT]), json!({})]),
        ("aud", vec![json!(1), json!({}), json!([1]), json!(["res_1", null])]),
        ("exp", vec![json!("1795343600"), json!(true), json!(-1), json!([])]),
        ("nbf", vec![json!("1795340000"), json!(-0.5)]),
        ("iat", vec![json!("1795340000"), json!({})]),
        (
            "sub",
            vec![
                json!(1),
                json!(""),
                json!("a\nb"),
                json!("a\u{2028}b"),
                json!(["usr_1"]),
                long(256),
            ],
        ),
        ("oid", vec![json!(1), json!(""), json!(["org_1"]), long(256)]),
        ("client_id", vec![json!(1), json!(""), long(2049)]),
        ("scope", vec![json!(1), json!({}), json!([1])]),
        ("scopes", vec![json!(true), json!([["notes:read"]])]),
        ("scp", vec![json!(0)]),
    ] {
        for value in values {
            assert_eq!(
                check_with(&json!({ name: value })),
                Err(InvalidToken::MalformedClaim(name)),
                "{name} {value}"
            );
        }
    }
    assert_eq!(
        check_with(&json!({"oid": null, "org_id": 1})),
        Err(InvalidToken::MalformedClaim("org_id"))
    );
    assert_eq!(
        check_with(&json!({"client_id": null, "azp": 1})),
        Err(InvalidToken::MalformedClaim("azp"))
    );
}

#[test]
fn a_token_expires_at_the_instant_in_exp() {
    let expires_at = (NOW + 10) * 1000;
    for (exp, now, expected) in [
        (json!(NOW + 10), expires_at - 1, Ok(instant(expires_at))),
        (json!(NOW + 10), expires_at, Err(InvalidToken::Expired(instant(expires_at)))),
        (json!(NOW + 10), expires_at + 1, Err(InvalidToken::Expired(instant(expires_at)))),
        (json!(1_795_340_010.5), expires_at + 499, Ok(instant(expires_at + 500))),
        (
            json!(1_795_340_010.5),
            expires_at + 500,
            Err(InvalidToken::Expired(instant(expires_at + 500))),
        ),
        (json!(0), expires_at, Err(InvalidToken::Expired(instant(0)))),
    ] {
        assert_eq!(
            check_with_at(&json!({ "exp": exp }), now).map(|caller| caller.expires_at()),
            expected,
            "exp {exp} at {now}"
        );
    }
}

#[test]
fn a_token_is_valid_from_a_minute_before_nbf_and_iat() {
    for name in ["nbf", "iat"] {
        for (seconds, now, expected) in [
            (NOW + 60, NOW * 1000, Ok(())),
            (NOW + 61, NOW * 1000, Err(InvalidToken::NotYetValid(instant((NOW + 61) * 1000)))),
            (
                NOW + 61,
                NOW * 1000 + 999,
                Err(InvalidToken::NotYetValid(instant((NOW + 61) * 1000))),
            ),
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
fn a_token_that_is_bound_to_a_key_is_rejected() {
    for cnf in [json!({"jkt": "0ZcOCORZ"}), json!({"x5t#S256": "bwcK0esc"}), json!({}), json!("x")]
    {
        assert_eq!(check_with(&json!({"cnf": cnf})), Err(InvalidToken::SenderConstrained), "{cnf}");
    }
    assert!(check_with(&json!({"cnf": null})).is_ok());
}

#[test]
fn a_token_has_a_greatest_age_if_one_is_set() {
    let greatest = Duration::from_mins(5);
    let rules = Rules { max_age: Some(greatest), ..rules() };
    let check = |changes: &Value, unix_millis| {
        let claims = changed(user_claims(ENVIRONMENT), changes).to_string();
        apply(&rules, &claims, unix_millis).map(|accepted| accepted.caller.expires_at())
    };
    let too_old_at = (NOW + 300) * 1000;
    assert_eq!(check(&json!({}), too_old_at - 1), Ok(instant(too_old_at)));
    let too_old = InvalidToken::TooOld { issued_at: instant(NOW * 1000), greatest };
    assert_eq!(check(&json!({}), too_old_at), Err(too_old));
    let early = instant((NOW + 200) * 1000);
    assert_eq!(check(&json!({"exp": NOW + 200}), NOW * 1000), Ok(early), "it expires before that");
    let missing = Err(InvalidToken::MissingClaim("iat"));
    assert_eq!(check(&json!({"iat": null}), NOW * 1000), missing);
    assert!(check_with(&json!({"iat": 0})).is_ok(), "none is set");
}

#[test]
fn all_clients_are_allowed_or_those_that_are_named() {
    let some = ["m2m_1".to_owned(), "https://client.example/app.json".to_owned()];
    let some = Rules { allowed_clients: Some(Arc::new(some.into())), ..rules() };
    for (client, by_some) in [
        (json!("m2m_1"), true),
        (json!("https://client.example/app.json"), true),
        (json!("m2m_2"), false),
        (json!("M2M_1"), false),
        (json!(null), false),
    ] {
        let claims = changed(user_claims(ENVIRONMENT), &json!({"client_id": client})).to_string();
        let is_allowed =
            |rules| apply(rules, &claims, NOW * 1000).map(|accepted| accepted.is_client_allowed);
        assert_eq!(is_allowed(&some), Ok(by_some), "{client}");
        assert_eq!(is_allowed(&rules()), Ok(true), "{client}");
    }
}

#[test]
fn scope_scopes_and_scp_grant_their_union() {
    for (granted, expected) in [
        (json!({"scope": "notes:read notes:write"}), "notes:read notes:write"),
        (json!({"scope": "notes:read\tnotes:write "}), "notes:read notes:write"),
        (json!({"scope": ["notes:write"]}), "notes:write"),
        (json!({"scopes": ["notes:write", "notes:read"]}), "notes:write notes:read"),
        (json!({"scopes": "notes:write"}), "notes:write"),
        (json!({"scp": "notes:read"}), "notes:read"),
        (json!({"scp": ["notes:read"]}), "notes:read"),
        (json!({"scope": "notes:read", "scopes": ["notes:write"]}), "notes:read notes:write"),
        (json!({"scope": "notes:read", "scopes": ["notes:read"], "scp": "x"}), "notes:read x"),
        (json!({"scope": "", "scopes": []}), ""),
        (json!({"scope": "notes:read,notes:write"}), "notes:read,notes:write"),
        (json!({"scope": "NOTES:READ notes notes:*"}), "NOTES:READ notes notes:*"),
        (json!({"scopes": ["notes:read notes:write"]}), ""),
        (
            json!({"scopes": ["", " ", "a\nb", "a\u{7f}", "\"", "\\", "n\u{f6}tes"], "scp": "\""}),
            "",
        ),
        (json!({}), ""),
    ] {
        let without = json!({"scope": null, "scopes": null});
        let claims = changed(changed(user_claims(ENVIRONMENT), &without), &granted);
        let caller = check_text_at(&claims.to_string(), NOW * 1000).expect("a caller");
        assert_eq!(caller.scopes().to_string(), expected, "{granted}");
    }
}

#[test]
fn oid_takes_precedence_over_org_id_and_client_id_over_azp() {
    let both = check_with(&json!({"org_id": "org_2", "azp": "m2m_2"})).expect("a caller");
    assert_eq!(text(both.organization()), Some("org_1"));
    assert_eq!(text(both.client()), Some("m2m_1"));
    let second = check_with(&json!({
        "oid": null, "client_id": null, "org_id": "org_2", "azp": "https://client.example/app.json",
    }))
    .expect("a caller");
    assert_eq!(text(second.organization()), Some("org_2"));
    assert_eq!(text(second.client()), Some("https://client.example/app.json"));
    let neither = check_with(&json!({"oid": null, "client_id": null})).expect("a caller");
    assert_eq!((neither.organization(), neither.client()), (None, None));
}

#[test]
fn the_first_broken_rule_is_the_one_that_is_reported() {
    let mut broken = json!({
        "iss": "https://example.com",
        "aud": "res_2",
        "exp": NOW,
        "nbf": NOW + 3600,
        "iat": NOW + 7200,
        "cnf": {},
        "sub": "",
        "oid": "",
        "client_id": "",
        "scope": 1,
    });
    for (name, rejection) in [
        ("iss", InvalidToken::Issuer),
        ("aud", InvalidToken::Audience),
        ("exp", InvalidToken::Expired(instant(NOW * 1000))),
        ("nbf", InvalidToken::NotYetValid(instant((NOW + 3600) * 1000))),
        ("iat", InvalidToken::NotYetValid(instant((NOW + 7200) * 1000))),
        ("cnf", InvalidToken::SenderConstrained),
        ("sub", InvalidToken::MalformedClaim("sub")),
        ("oid", InvalidToken::MalformedClaim("oid")),
        ("client_id", InvalidToken::MalformedClaim("client_id")),
        ("scope", InvalidToken::MalformedClaim("scope")),
    ] {
        assert_eq!(check_with(&broken), Err(rejection));
        broken.as_object_mut().expect("an object").remove(name);
    }
    assert!(check_with(&broken).is_ok());
}

#[test]
fn a_payload_that_is_not_one_object_without_repeated_claims_is_malformed() {
    let valid = user_claims(ENVIRONMENT).to_string();
    for text in [
        "",
        "null",
        "[]",
        "\"usr_1\"",
        "{",
        &format!("[{valid}]"),
        &format!("{valid}{valid}"),
        &valid.replacen('{', "{\"sub\": \"usr_2\",", 1),
        &valid.replacen('{', "{\"exp\": 9999999999,", 1),
        &valid.replacen('{', "{\"\\u0061ud\": [\"res_1\"],", 1),
    ] {
        assert_eq!(check_text_at(text, NOW * 1000), Err(InvalidToken::Malformed), "{text}");
    }
}

#[test]
fn further_claims_are_kept_if_they_are_asked_for_and_present() {
    let claims = json!({ "zoneinfo": "Europe/Berlin", "roles": ["admin"], "locale": null, "x": 1 });
    let payload = SignedPayload::assumed(&claims.to_string());
    let names = ["zoneinfo", "roles", "locale", "absent"].map(str::to_owned);
    let expected = json!({ "zoneinfo": "Europe/Berlin", "roles": ["admin"] });
    assert_eq!(Value::from(kept(&payload, &names)), expected);
    assert!(kept(&payload, &[]).is_empty());
}
