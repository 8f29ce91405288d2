use serde_json::json;

use super::*;
use crate::doctor::finding::Verdict::{self, Fail, Pass, Warn};

const URL: &str = "https://acme.scalekit.com";
const ISSUER: &str = "https://acme.scalekit.com/resources/res_1";

/// As Scalekit publishes it when everything is right.
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

/// The findings on good metadata with some members replaced.
fn findings(changes: &Value) -> [Finding; 6] {
    let environment = ScalekitEnvironment::new(URL, "res_1").unwrap();
    let mut metadata = good();
    for (name, value) in changes.as_object().unwrap() {
        metadata[name] = value.clone();
    }
    CHECKS.map(|check| check(&environment, &metadata))
}

#[test]
fn good_metadata_passes_every_check() {
    for finding in findings(&json!({})) {
        assert_eq!(finding.verdict(), Pass, "{finding:?}");
    }
}

#[test]
fn each_problem_of_the_metadata_fails_one_check() {
    // Members to replace (`null` for missing), the one check that no longer passes, its verdict, and
    // a part of its text.
    let off =
        json!({ "registration_endpoint": null, "client_id_metadata_document_supported": false });
    let cases: [(Value, &str, Verdict, &str); 13] = [
        (json!({ "issuer": URL }), "issuer", Fail, "before each MCP server had an issuer"),
        (json!({ "issuer": format!("{URL}/") }), "issuer", Fail, "Scalekit's support"),
        (json!({ "issuer": format!("{ISSUER}/") }), "issuer", Fail, "RFC 8414"),
        (
            json!({ "issuer": "https://auth.acme.com/resources/res_1" }),
            "issuer",
            Fail,
            "Set SCALEKIT_ENVIRONMENT_URL to https://auth.acme.com.",
        ),
        (json!({ "issuer": null }), "issuer", Fail, "missing"),
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
    for (changes, check, verdict, words) in cases {
        let findings = findings(&changes);
        let mut others = findings.iter().filter(|finding| finding.verdict() != Pass);
        let (Some(finding), None) = (others.next(), others.next()) else {
            panic!("{changes}: {findings:?}")
        };
        assert_eq!((finding.check(), finding.verdict()), (check, verdict), "{changes}");
        let text = format!("{} {}", finding.seen(), finding.advice().unwrap_or_default());
        assert!(text.contains(words), "{changes}: {finding:?}");
    }
}

#[test]
fn one_way_to_register_is_enough() {
    for (off, seen) in [
        ("registration_endpoint", "by client ID metadata document"),
        ("client_id_metadata_document_supported", "dynamic"),
    ] {
        let findings = findings(&json!({ off: null }));
        assert_eq!((findings[3].verdict(), findings[3].seen()), (Pass, seen));
    }
}

#[test]
fn endpoints_on_loopback_need_no_https() {
    for (host, verdict) in [("localhost", Pass), ("scalekit", Fail)] {
        let url = format!("http://{host}:3003/oauth/token");
        let findings = findings(&json!({ "authorization_endpoint": url, "token_endpoint": url }));
        assert_eq!(findings[1].verdict(), verdict);
    }
}
