//! What each form of the metadata comes to.

use serde_json::json;

use super::*;
use crate::doctor::Verdict::{self, Fail, Pass, Warn};
use crate::doctor::http::tests::answer;

const URL: &str = "https://acme.scalekit.com";
const ISSUER: &str = "https://acme.scalekit.com/resources/res_1";

fn environment(resource_id: &str) -> ScalekitEnvironment {
    ScalekitEnvironment::new(URL, resource_id).unwrap()
}

/// As Scalekit publishes it when everything is as it should be.
fn good() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/oauth/authorize"),
        "token_endpoint": format!("{ISSUER}/oauth/token"),
        "registration_endpoint": format!("{URL}/api/v1/resources/res_1/clients:register"),
        "jwks_uri": format!("{URL}/keys"),
        "client_id_metadata_document_supported": true,
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["todo:read", "todo:write", "offline_access"],
    })
}

fn said(finding: &Finding) -> String {
    format!("{} {}", finding.seen(), finding.advice().unwrap_or_default())
}

#[test]
fn good_metadata_passes_every_check() {
    for finding in judge(&environment("res_1"), &good()) {
        assert_eq!(finding.verdict(), Pass, "{finding:?}");
    }
}

#[test]
fn each_thing_that_clients_rely_on_has_a_check_of_its_own() {
    // Members to replace (`null` as good as missing), the one check that no longer passes, its
    // verdict, and what it says.
    let off =
        json!({ "registration_endpoint": null, "client_id_metadata_document_supported": false });
    let cases: [(Value, &str, Verdict, &str); 13] = [
        (json!({ "issuer": URL }), "issuer", Fail, "before the issuer of each MCP server"),
        (json!({ "issuer": format!("{URL}/") }), "issuer", Fail, "Scalekit's support"),
        (json!({ "issuer": format!("{ISSUER}/") }), "issuer", Fail, "RFC 8414"),
        (
            json!({ "issuer": "https://auth.acme.com/resources/res_1" }),
            "issuer",
            Fail,
            "Set SCALEKIT_ENVIRONMENT_URL to https://auth.acme.com.",
        ),
        (json!({ "issuer": null }), "issuer", Fail, "names none"),
        (json!({ "token_endpoint": null }), "endpoints", Fail, "no token_endpoint"),
        (json!({ "token_endpoint": "http://acme/token" }), "endpoints", Fail, "without https"),
        (json!({ "code_challenge_methods_supported": ["plain"] }), "PKCE", Fail, "S256"),
        (json!({ "code_challenge_methods_supported": null }), "PKCE", Fail, "S256"),
        (off, "registration", Warn, "Allow dynamic client registration"),
        (
            json!({ "scopes_supported": ["todo:read", "offline_access"] }),
            "scopes",
            Fail,
            "add todo:write to its scopes",
        ),
        (
            json!({ "scopes_supported": ["offline_access", "TODO:READ"] }),
            "scopes",
            Fail,
            "add todo:read and todo:write to its scopes",
        ),
        (
            json!({ "scopes_supported": ["todo:write", "todo:read"] }),
            "refresh",
            Warn,
            "offline_access",
        ),
    ];
    for (changes, check, verdict, word) in cases {
        let mut metadata = good();
        for (name, value) in changes.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        let mut findings = judge(&environment("res_1"), &metadata);
        findings.retain(|finding| finding.verdict() != Pass);
        let [finding] = findings.as_slice() else { panic!("{changes}: {findings:?}") };
        assert_eq!((finding.check(), finding.verdict()), (check, verdict), "{changes}");
        assert!(said(finding).contains(word), "{changes}: {finding:?}");
    }
}

#[test]
fn one_way_to_register_is_enough() {
    for (off, word) in [
        ("registration_endpoint", "document"),
        ("client_id_metadata_document_supported", "dynamic"),
    ] {
        let mut metadata = good();
        metadata[off] = Value::Null;
        let finding = registration(&metadata);
        assert_eq!(finding.verdict(), Pass);
        assert!(finding.seen().contains(word), "{finding:?}");
    }
}

#[test]
fn endpoints_on_loopback_need_no_https() {
    let on = |host| json!({ "authorization_endpoint": host, "token_endpoint": host });
    assert_eq!(endpoints(&on("http://localhost:3003/oauth/token")).verdict(), Pass);
    assert_eq!(endpoints(&on("http://scalekit:3003/oauth/token")).verdict(), Fail);
}

#[test]
fn an_unknown_resource_names_the_setting_and_says_what_the_id_is_of() {
    let nothing = Ok(answer(404, &[], "not found"));
    for (resource_id, word) in [
        ("res_2", "does not know"),
        ("skc_2", "the id of an API client"),
        ("prd_skc_2", "the id of an API client"),
        ("m2m_2", "the id of an MCP client"),
        ("app_2", "the id of an application"),
    ] {
        let (finding, metadata) = located(&environment(resource_id), &nothing, Some(&nothing));
        assert_eq!((finding.verdict(), metadata), (Fail, None));
        let said = said(&finding);
        assert!(said.contains("SCALEKIT_RESOURCE_ID") && said.contains(word), "{said}");
    }
}

#[test]
fn metadata_at_the_second_url_alone_is_worth_a_look() {
    let (nothing, there) = (Ok(answer(404, &[], "")), Ok(answer(200, &[], good().to_string())));
    let (finding, metadata) = located(&environment("res_1"), &nothing, Some(&there));
    assert_eq!((finding.verdict(), metadata), (Warn, Some(good())));
    let (finding, _) = located(&environment("res_1"), &there, None);
    assert_eq!(finding.verdict(), Pass);
}

#[test]
fn an_outage_is_no_mistake_of_the_settings() {
    let down = || Ok(answer(503, &[], ""));
    let (finding, _) = located(&environment("res_1"), &down(), Some(&down()));
    assert!(said(&finding).contains("wait"), "{finding:?}");
    let (finding, _) = located(&environment("res_1"), &Err(Unreachable::TimedOut), None);
    assert_eq!(finding.verdict(), Fail);
}
