//! Whether the environment URL leads to a Scalekit environment, and is the issuer of its tokens.

use reqwest::header::LOCATION;

use crate::doctor::finding::Finding;
use crate::doctor::issuer::Issuer;
use crate::http::{Answer, Unreachable, excerpt};

const CHECK: &str = "environment";

/// `discovery` is the answer for the OpenID configuration of the environment.
pub(crate) fn check(issuer: &Issuer, discovery: &Result<Answer, Unreachable>) -> Finding {
    let url = issuer.environment.url();
    let setting = if issuer.is_local {
        "EMULATOR_PORT must be the port of the running server's local identity, and no other program \
         may listen on it."
    } else {
        "SCALEKIT_ENVIRONMENT_URL must be the environment URL of the Scalekit dashboard, Settings > \
         API Credentials."
    };
    let answer = match discovery {
        Ok(answer) => answer,
        Err(Unreachable::Refused) if issuer.is_local => {
            let advice =
                "The local identity runs with the server: to check more, start `todo-mcp`.";
            return Finding::warn(CHECK, format!("{url} is not running")).advise(advice);
        }
        Err(reason) if issuer.is_local => {
            return Finding::fail(CHECK, format!("{url}: {reason}")).advise(setting);
        }
        Err(reason) => {
            let advice = format!(
                "{setting} If it is, Scalekit is down or a firewall is in between: see its status page."
            );
            return Finding::fail(CHECK, format!("{url}: {reason}")).advise(advice);
        }
    };
    match (answer.document(), answer.status) {
        (Some(document), _) => match document["issuer"].as_str() {
            Some(found) if found.trim_end_matches('/') == url => {
                Finding::pass(CHECK, format!("{url} responds"))
            }
            Some(found) if !issuer.is_local => {
                let found = excerpt(found);
                let advice = format!(
                    "Set SCALEKIT_ENVIRONMENT_URL to {found}: it is the issuer in access tokens."
                );
                Finding::fail(CHECK, format!("{url} has the issuer {found}")).advise(advice)
            }
            _ => Finding::fail(CHECK, format!("{url} is another program")).advise(setting),
        },
        (None, 429 | 500..=599) => {
            let seen = format!("{url} returns status {}", answer.status);
            let advice = "Scalekit is overloaded or down: wait, and see its status page.";
            Finding::fail(CHECK, seen).advise(advice)
        }
        (None, 300..=399) => {
            let target = answer.header(LOCATION).map(excerpt).unwrap_or_default();
            Finding::fail(CHECK, format!("{url} redirects to {target}")).advise(setting)
        }
        (None, status) => {
            let seen = format!("{url} is not a Scalekit environment (status {status})");
            Finding::fail(CHECK, seen).advise(setting)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict;
    use crate::doctor::issuer::tests::issuer;
    use crate::http::tests::answer;

    fn advice(finding: &Finding) -> &str {
        finding.advice().unwrap_or_default()
    }

    #[test]
    fn an_environment_with_its_own_issuer_passes() {
        let discovery = json!({ "issuer": "https://acme.scalekit.com" });
        let finding = check(&issuer(false), &Ok(answer(200, &[], discovery.to_string())));
        assert_eq!(finding.verdict(), Verdict::Pass, "{finding:?}");
    }

    #[test]
    fn a_wrong_environment_url_is_reported_with_the_setting() {
        let other = json!({ "issuer": "https://auth.acme.com" });
        let location = [(LOCATION, "https://www.scalekit.com/")];
        for (discovery, seen) in [
            (Err(Unreachable::UnknownHost), "DNS"),
            (Err(Unreachable::Refused), "connection refused"),
            (Err(Unreachable::TimedOut), "no response"),
            (Err(Unreachable::Certificate("expired".to_owned())), "certificate"),
            (Ok(answer(404, &[], "")), "not a Scalekit environment"),
            (Ok(answer(200, &[], "<html>")), "not a Scalekit environment"),
            (Ok(answer(302, &location, "")), "redirects to https://www.scalekit.com/"),
            (Ok(answer(200, &[], other.to_string())), "has the issuer https://auth.acme.com"),
            (Ok(answer(200, &[], "{}")), "another program"),
        ] {
            let finding = check(&issuer(false), &discovery);
            assert_eq!(finding.verdict(), Verdict::Fail, "{finding:?}");
            assert!(finding.seen().contains(seen), "{finding:?}");
            assert!(advice(&finding).contains("SCALEKIT_ENVIRONMENT_URL"), "{finding:?}");
        }
    }

    #[test]
    fn an_outage_is_not_blamed_on_the_settings() {
        for status in [429, 500, 503] {
            let finding = check(&issuer(false), &Ok(answer(status, &[], "")));
            assert_eq!(finding.verdict(), Verdict::Fail);
            assert!(advice(&finding).contains("wait"), "{finding:?}");
        }
    }

    #[test]
    fn a_local_identity_may_be_stopped_but_not_replaced() {
        let stopped = check(&issuer(true), &Err(Unreachable::Refused));
        assert_eq!(stopped.verdict(), Verdict::Warn);
        for discovery in
            [answer(404, &[], ""), answer(200, &[], json!({ "issuer": "http://x" }).to_string())]
        {
            let finding = check(&issuer(true), &Ok(discovery));
            assert_eq!(finding.verdict(), Verdict::Fail);
            assert!(advice(&finding).contains("EMULATOR_PORT"), "{finding:?}");
        }
    }
}
