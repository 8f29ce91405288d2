//! The checks of a token, in the order in which the verifier makes them.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use todo_mcp::doctor::{Finding, Report, Verdict};
use todo_tests::issuer::{KEY_ID, header, now, published_key, signed};

use crate::stand_in::{Scalekit, assert_found, only_finding};

/// The faults of a token, in the order in which they are found.
const FAULTS: [&str; 14] = [
    "token: form",
    "token: header",
    "token: key",
    "token: signature",
    "token: issuer",
    "token: audience",
    "token: expiry",
    "token: not before",
    "token: age",
    "token: binding",
    "token: subject",
    "token: organization",
    "token: client",
    "token: scopes",
];

/// A token with all of these faults.
fn token(scalekit: &Scalekit, faults: &[&str]) -> String {
    let mut claims = scalekit.claims();
    for (fault, claim, value) in [
        ("token: issuer", "iss", json!("https://other.example")),
        ("token: audience", "aud", json!("res_other")),
        ("token: expiry", "exp", json!(now() - 60)),
        ("token: not before", "nbf", json!(now() + 600)),
        ("token: age", "iat", json!(now() - 7_200)),
        ("token: binding", "cnf", json!({ "jkt": "0ZcOCORZ" })),
        ("token: subject", "sub", Value::Null),
        ("token: organization", "oid", json!(7)),
        ("token: client", "client_id", json!(7)),
        ("token: scopes", "scope", json!(7)),
    ] {
        if faults.contains(&fault) {
            claims[claim] = value;
        }
    }
    let key_id = if faults.contains(&"token: key") { "snk_other" } else { KEY_ID };
    let algorithm =
        if faults.contains(&"token: header") { Algorithm::RS512 } else { Algorithm::RS256 };
    let mut token = published_key().sign(&header(algorithm, key_id), &claims);
    if faults.contains(&"token: signature") {
        let other = published_key().sign(&header(algorithm, key_id), &json!({}));
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        token = format!("{signed}.{signature}");
    }
    if faults.contains(&"token: form") {
        token = format!("{token}.{token}");
    }
    token
}

/// The token checks of a report that have this verdict.
fn checks(report: &Report, verdict: Verdict) -> Vec<&'static str> {
    let findings = report.findings().filter(|finding| finding.verdict() == verdict);
    findings.map(Finding::check).filter(|check| check.starts_with("token")).collect()
}

#[tokio::test]
async fn the_first_fault_is_reported_and_earlier_checks_pass() {
    let scalekit = Scalekit::good().await;
    for (position, fault) in FAULTS.iter().enumerate() {
        let token = token(&scalekit, &FAULTS[position..]);
        let report = scalekit.examined(&[("TODO_MAX_TOKEN_AGE", "3600")], Some(&token)).await;
        assert_eq!(checks(&report, Verdict::Fail), [*fault], "{}", report.print(false));
        assert_eq!(checks(&report, Verdict::Pass), FAULTS[..position]);
        let finding = only_finding(&report);
        assert!(finding.advice().is_some_and(|advice| !advice.is_empty()), "{finding:?}");
    }
}

#[tokio::test]
async fn a_valid_token_passes_every_check_and_its_tools_are_listed() {
    let scalekit = Scalekit::good().await;
    let report = scalekit.examined(&[], Some(&token(&scalekit, &[]))).await;
    assert_eq!(checks(&report, Verdict::Pass), FAULTS);
    let scopes = report.findings().find(|finding| finding.check() == "token: scopes").unwrap();
    let words = [
        "list_todos",
        "get_todo",
        "create_todo",
        "update_todo",
        "delete_todo",
        "change_todos",
        "list_changes",
        "undo_change",
    ];
    assert_found(scopes, "token: scopes", Verdict::Pass, &words);
}

#[tokio::test]
async fn a_token_without_our_scopes_fails_the_scope_check() {
    let scalekit = Scalekit::good().await;
    let mut claims = scalekit.claims();
    claims["scope"] = "openid offline_access".into();
    let token = signed(&claims);
    let report = scalekit.examined(&[], Some(&token)).await;
    let words = ["neither todo:read nor todo:write", "dashboard"];
    assert_found(only_finding(&report), "token: scopes", Verdict::Fail, &words);
}

#[tokio::test]
async fn a_token_without_an_organization_names_the_sharing_setting() {
    let scalekit = Scalekit::good().await;
    let mut claims = scalekit.claims();
    claims["oid"] = Value::Null;
    let token = signed(&claims);
    let report = scalekit.examined(&[("TODO_SHARING", "organization")], Some(&token)).await;
    assert_found(
        only_finding(&report),
        "token: organization",
        Verdict::Fail,
        &["TODO_SHARING is organization"],
    );
}

#[tokio::test]
async fn a_client_that_is_not_allowed_is_named_with_the_setting() {
    let scalekit = Scalekit::good().await;
    let mut claims = scalekit.claims();
    claims["client_id"] = "m2m_1".into();
    let token = signed(&claims);
    let report = scalekit.examined(&[("TODO_ALLOWED_CLIENTS", "m2m_2")], Some(&token)).await;
    let words = ["m2m_1 is not in TODO_ALLOWED_CLIENTS", "add its id"];
    assert_found(only_finding(&report), "token: client", Verdict::Fail, &words);
    let report = scalekit.examined(&[("TODO_ALLOWED_CLIENTS", "m2m_2 m2m_1")], Some(&token)).await;
    assert_eq!(checks(&report, Verdict::Pass), FAULTS);
}

#[tokio::test]
async fn unreachable_keys_leave_the_token_unjudged() {
    let scalekit = Scalekit::with(|it| it.keys = json!({ "keys": [] })).await;
    let report = scalekit.examined(&[], Some(&token(&scalekit, &[]))).await;
    assert_eq!(checks(&report, Verdict::Fail), ["token: key"]);
    assert_eq!(checks(&report, Verdict::Pass), FAULTS[..2]);
}

#[tokio::test]
async fn no_part_of_a_token_is_printed() {
    let scalekit = Scalekit::good().await;
    for faults in (0..=FAULTS.len()).map(|position| &FAULTS[position..]) {
        let token = token(&scalekit, faults);
        let report = scalekit.examined(&[], Some(&token)).await;
        let said = format!("{} {report:?}", report.print(true));
        let mut pieces = token.as_bytes().windows(12).map(|piece| str::from_utf8(piece).unwrap());
        assert!(pieces.all(|piece| !said.contains(piece)), "{faults:?}: {said}");
    }
}
