//! What each answer at the public URL comes to.

use std::sync::Arc;

use serde_json::json;
use todo_adapter_scalekit::ScalekitEnvironment;

use super::*;
use crate::doctor::Verdict::{Fail, Pass, Warn};
use crate::doctor::http::tests::answer;

const REFUSED: &str = "This server does not answer to the host `inside`. If it should, set MCP_URL \
                       to the public URL or add the host to ALLOWED_HOSTS.";

fn url() -> PublicUrl {
    "https://todo.example.com".parse().unwrap()
}

fn identity() -> Identity {
    let environment = ScalekitEnvironment::new("https://acme.scalekit.com", "res_1").unwrap();
    Identity { environment: Arc::new(environment), is_local: false }
}

fn refusal() -> Value {
    json!({ "jsonrpc": "2.0", "error": { "code": 403, "message": REFUSED } })
}

fn check(finding: &Finding, verdict: Verdict, words: &[&str]) {
    assert_eq!(finding.verdict(), verdict, "{finding:?}");
    let said = format!("{} {}", finding.seen(), finding.advice().unwrap_or_default());
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn the_metadata_must_be_that_of_these_settings() {
    let metadata = |resource, authorization_server| {
        let servers = [authorization_server];
        answer(
            200,
            &[],
            json!({ "resource": resource, "authorization_servers": servers }).to_string(),
        )
    };
    let (resource, issuer) =
        ("https://todo.example.com/mcp", "https://acme.scalekit.com/resources/res_1");
    let cases: [(Result<Answer, Unreachable>, Verdict, &[&str]); 11] = [
        (Ok(metadata(resource, issuer)), Pass, &["runs at https://todo.example.com/mcp"]),
        (Ok(metadata("http://localhost:3002/mcp", issuer)), Fail, &["another MCP_URL"]),
        (Ok(metadata(resource, "https://x/resources/res_2")), Fail, &["SCALEKIT_RESOURCE_ID"]),
        (Ok(answer(404, &[], "")), Fail, &["/.well-known/oauth-protected-resource", "PORT"]),
        (Ok(answer(200, &[], "<html>")), Fail, &["something else answers"]),
        (Ok(answer(403, &[], refusal().to_string())), Fail, &["`inside`", "ALLOWED_HOSTS"]),
        (Ok(answer(403, &[], "<html>")), Fail, &["firewall"]),
        (Ok(answer(502, &[], "")), Warn, &["not running", "PORT"]),
        (Err(Unreachable::Refused), Warn, &["not running", "Fine if you have not started it"]),
        (Err(Unreachable::UnknownHost), Warn, &["not running", "MCP_URL"]),
        (Err(Unreachable::Certificate("expired".to_owned())), Fail, &["certificate", "MCP_URL"]),
    ];
    for (answer, verdict, words) in cases {
        check(&discovery(&url(), Some(&identity()), &answer), verdict, words);
    }
    let elsewhere = Ok(metadata(resource, "https://x/resources/res_2"));
    check(&discovery(&url(), None, &elsewhere), Pass, &["runs"]);
}

#[test]
fn a_request_without_a_token_must_be_led_to_one() {
    let ours = "Bearer resource_metadata=\"https://todo.example.com/.well-known/\
                oauth-protected-resource/mcp\", scope=\"todo:read todo:write\"";
    let cases: [(Answer, Verdict, &[&str]); 6] = [
        (answer(401, &[(WWW_AUTHENTICATE, ours)], ""), Pass, &["leads to the metadata"]),
        (answer(401, &[(WWW_AUTHENTICATE, "Basic realm=\"x\"")], ""), Fail, &["leave the WWW"]),
        (answer(401, &[], ""), Fail, &["hand on the WWW-Authenticate header"]),
        (answer(403, &[], refusal().to_string()), Fail, &["ALLOWED_HOSTS"]),
        (answer(200, &[], "{}"), Fail, &["status 200 without a token"]),
        (answer(404, &[], ""), Fail, &["must forward POST /mcp"]),
    ];
    for (answer, verdict, words) in cases {
        check(&challenge(&url(), &Ok(answer)), verdict, words);
    }
    check(&challenge(&url(), &Err(Unreachable::TimedOut)), Fail, &["within 5 seconds"]);
}
