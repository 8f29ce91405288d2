//! Whether Scalekit publishes metadata (RFC 8414) for this MCP server.

use scalekit::ScalekitEnvironment;
use serde_json::Value;

use crate::doctor::finding::Finding;
use crate::http::{Answer, Http, Unreachable};

const CHECK: &str = "metadata";

/// Fetches the metadata as clients do: from the path-inserted URL of RFC 8414 section 3.1, then from
/// the appended one.
pub(crate) async fn fetch(
    http: &Http<'_>,
    environment: &ScalekitEnvironment,
) -> (Finding, Option<Value>) {
    let [inserted, appended] = environment.metadata_urls();
    let inserted = http.get(inserted).await;
    let appended = match &inserted {
        Ok(answer) if answer.document().is_none() => Some(http.get(appended).await),
        _ => None,
    };
    check(environment.resource_id(), &inserted, appended.as_ref())
}

fn check(
    resource_id: &str,
    inserted: &Result<Answer, Unreachable>,
    appended: Option<&Result<Answer, Unreachable>>,
) -> (Finding, Option<Value>) {
    let answer = match inserted {
        Ok(answer) => answer,
        Err(reason) => return (Finding::fail(CHECK, format!("cannot be fetched: {reason}")), None),
    };
    if let Some(metadata) = answer.document() {
        let seen = format!("found for the MCP server {resource_id}");
        return (Finding::pass(CHECK, seen), Some(metadata));
    }
    if let Some(metadata) = appended.and_then(|answer| answer.as_ref().ok()?.document()) {
        let seen = "is published at only one of its two URLs";
        let advice = "Many clients request only the other, with \
                      /.well-known/oauth-authorization-server before the path: contact Scalekit's \
                      support.";
        return (Finding::warn(CHECK, seen).advise(advice), Some(metadata));
    }
    let finding = match answer.status {
        429 | 500..=599 => {
            Finding::fail(CHECK, format!("Scalekit returns status {}", answer.status))
                .advise("Scalekit is overloaded or down: wait and try again.")
        }
        status => Finding::fail(CHECK, format!("none for this MCP server (status {status})"))
            .advise(resource_id_advice(resource_id)),
    };
    (finding, None)
}

fn resource_id_advice(resource_id: &str) -> String {
    let kind = [
        ("skc_", "an API client"),
        ("prd_skc_", "an API client"),
        ("m2m_", "an MCP client"),
        ("m2morg_", "a client of an organization"),
        ("app_", "an application"),
        ("env_", "an environment"),
        ("org_", "an organization"),
        ("conn_", "a connection"),
    ]
    .into_iter()
    .find(|(prefix, _)| resource_id.starts_with(prefix));
    let problem = match kind {
        Some((_, kind)) => format!("is `{resource_id}`, the id of {kind}"),
        None => format!("is `{resource_id}`, which this environment does not know"),
    };
    format!(
        "SCALEKIT_RESOURCE_ID {problem}. Copy the id of the server from the dashboard, MCP Servers; \
         it starts with `res_`."
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Pass, Warn};
    use crate::http::tests::answer;

    fn advice(finding: &Finding) -> &str {
        finding.advice().unwrap_or_default()
    }

    #[test]
    fn an_id_of_another_kind_is_recognized() {
        let missing = Ok(answer(404, &[], "not found"));
        for (resource_id, words) in [
            ("res_2", "does not know"),
            ("skc_2", "the id of an API client"),
            ("prd_skc_2", "the id of an API client"),
            ("m2m_2", "the id of an MCP client"),
            ("app_2", "the id of an application"),
        ] {
            let (finding, metadata) = check(resource_id, &missing, Some(&missing));
            assert_eq!((finding.verdict(), metadata), (Fail, None));
            let advice = advice(&finding);
            assert!(advice.contains("SCALEKIT_RESOURCE_ID") && advice.contains(words), "{advice}");
        }
    }

    #[test]
    fn metadata_at_the_second_url_alone_is_a_warning() {
        let document = json!({ "issuer": "https://acme.scalekit.com/resources/res_1" });
        let missing = Ok(answer(404, &[], ""));
        let found = Ok(answer(200, &[], document.to_string()));
        let (finding, metadata) = check("res_1", &missing, Some(&found));
        assert_eq!((finding.verdict(), metadata), (Warn, Some(document)));
        let (finding, _) = check("res_1", &found, None);
        assert_eq!(finding.verdict(), Pass);
    }

    #[test]
    fn an_outage_is_not_blamed_on_the_settings() {
        let down = || Ok(answer(503, &[], ""));
        let (finding, _) = check("res_1", &down(), Some(&down()));
        assert!(advice(&finding).contains("wait"), "{finding:?}");
        let (finding, _) = check("res_1", &Err(Unreachable::TimedOut), None);
        assert_eq!(finding.verdict(), Fail);
    }
}
