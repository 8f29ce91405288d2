//! Whether the server at the public URL runs with these settings, by its protected resource metadata
//! (RFC 9728).

use protected_mcp::PublicUrl;
use serde_json::Value;

use crate::doctor::finding::Finding;
use crate::doctor::issuer::Issuer;
use crate::http::{Answer, Unreachable, excerpt};

const CHECK: &str = "server";

pub(crate) fn check(
    url: &PublicUrl,
    issuer: Option<&Issuer>,
    answer: &Result<Answer, Unreachable>,
) -> Finding {
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason @ Unreachable::Certificate(_)) => {
            let advice = "Clients reject it, too: the proxy in front needs a certificate for the \
                          host of MCP_URL.";
            return Finding::fail(CHECK, format!("{}: {reason}", url.origin())).advise(advice);
        }
        Err(reason) => {
            let seen = format!("not running at {}: {reason}", url.origin());
            let advice = "If you have started it, compare MCP_URL and PORT with the address that it \
                          listens on.";
            return Finding::warn(CHECK, seen).advise(advice);
        }
    };
    if let Some(rejected) = rejected_host(answer) {
        return rejected;
    }
    if matches!(answer.status, 502..=504) {
        let seen = format!("not running behind {} (status {})", url.origin(), answer.status);
        let advice = "If you have started it, make the proxy forward to BIND_ADDRESS and PORT.";
        return Finding::warn(CHECK, seen).advise(advice);
    }
    let Some(metadata) = answer.document() else {
        let address = url.resource_metadata();
        let seen = format!("another program responds at {address} (status {})", answer.status);
        let advice = "A proxy must forward paths below /.well-known/oauth-protected-resource too. \
                      Without a proxy, another program uses the port: set PORT and MCP_URL.";
        return Finding::fail(CHECK, seen).advise(advice);
    };
    check_metadata(url, issuer, &metadata)
}

fn check_metadata(url: &PublicUrl, issuer: Option<&Issuer>, metadata: &Value) -> Finding {
    let resource = url.resource();
    if metadata["resource"] != resource.as_str() {
        let seen = format!("runs as {}, not as {resource}", text(&metadata["resource"]));
        let advice = "It was started with another MCP_URL: restart it with these settings.";
        return Finding::fail(CHECK, seen).advise(advice);
    }
    let theirs = &metadata["authorization_servers"][0];
    match issuer.map(|issuer| issuer.environment.authorization_server()) {
        Some(ours) if theirs != ours => {
            let seen = format!("sends clients to {}, not to {ours}", text(theirs));
            let advice = "It was started with another SCALEKIT_ENVIRONMENT_URL or \
                          SCALEKIT_RESOURCE_ID: restart it with these settings.";
            Finding::fail(CHECK, seen).advise(advice)
        }
        _ => Finding::pass(CHECK, format!("runs at {resource} with these settings")),
    }
}

/// A finding if the status is 403. The answer is our server's if it names the setting: then the proxy
/// has changed the `Host` header.
pub(super) fn rejected_host(answer: &Answer) -> Option<Finding> {
    if answer.status != 403 {
        return None;
    }
    let error: Option<Value> = serde_json::from_str(&answer.body).ok();
    let message = error.as_ref().and_then(|error| error["error"]["message"].as_str());
    Some(match message {
        Some(message) if message.contains("ALLOWED_HOSTS") => {
            let sentence = excerpt(message.split(". ").next().unwrap_or(message));
            let advice = format!(
                "Its message: {sentence}. Make the proxy in front forward the Host header unchanged, \
                 or add the host to ALLOWED_HOSTS."
            );
            Finding::fail(CHECK, "rejects the Host header that the proxy sends").advise(advice)
        }
        _ => {
            let advice = "A firewall or proxy in front of the server must let requests pass.";
            Finding::fail(CHECK, "the request is rejected (status 403)").advise(advice)
        }
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| "nothing".to_owned(), excerpt)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Pass, Warn};
    use crate::doctor::issuer::tests::issuer;
    use crate::http::tests::answer;

    /// The answer of the server to a host that it does not serve.
    pub(crate) fn rejection() -> String {
        let message = "This server does not answer to the host `inside`. If it should, set MCP_URL \
                       to the public URL or add the host to ALLOWED_HOSTS.";
        json!({ "jsonrpc": "2.0", "error": { "code": 403, "message": message } }).to_string()
    }

    #[track_caller]
    pub(crate) fn assert_finding(finding: &Finding, verdict: Verdict, words: &[&str]) {
        assert_eq!(finding.verdict(), verdict, "{finding:?}");
        let text = format!("{} {}", finding.seen(), finding.advice().unwrap_or_default());
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn the_metadata_must_be_that_of_these_settings() {
        let url = "https://todo.example.com".parse().unwrap();
        let metadata = |resource, authorization_server| {
            let servers = [authorization_server];
            let document = json!({ "resource": resource, "authorization_servers": servers });
            answer(200, &[], document.to_string())
        };
        let (resource, ours) =
            ("https://todo.example.com/mcp", "https://acme.scalekit.com/resources/res_1");
        let expired = Unreachable::Certificate("expired".to_owned());
        let cases: [(Result<Answer, Unreachable>, Verdict, &[&str]); 11] = [
            (Ok(metadata(resource, ours)), Pass, &["runs at https://todo.example.com/mcp"]),
            (Ok(metadata("http://localhost:3002/mcp", ours)), Fail, &["another MCP_URL"]),
            (Ok(metadata(resource, "https://x/resources/res_2")), Fail, &["SCALEKIT_RESOURCE_ID"]),
            (Ok(answer(404, &[], "")), Fail, &["/.well-known/oauth-protected-resource", "PORT"]),
            (Ok(answer(200, &[], "<html>")), Fail, &["another program responds"]),
            (Ok(answer(403, &[], rejection())), Fail, &["`inside`", "ALLOWED_HOSTS"]),
            (Ok(answer(403, &[], "<html>")), Fail, &["firewall"]),
            (Ok(answer(502, &[], "")), Warn, &["not running", "PORT"]),
            (Err(Unreachable::Refused), Warn, &["not running", "If you have started it"]),
            (Err(Unreachable::UnknownHost), Warn, &["not running", "MCP_URL"]),
            (Err(expired), Fail, &["certificate", "MCP_URL"]),
        ];
        for (answer, verdict, words) in cases {
            assert_finding(&check(&url, Some(&issuer(false)), &answer), verdict, words);
        }
        let elsewhere = Ok(metadata(resource, "https://x/resources/res_2"));
        assert_finding(&check(&url, None, &elsewhere), Pass, &["runs"]);
    }
}
