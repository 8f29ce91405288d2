//! What each answer of an environment comes to.

use std::sync::Arc;

use serde_json::json;
use todo_adapter_scalekit::ScalekitEnvironment;

use super::*;
use crate::doctor::http::tests::answer;

const URL: &str = "https://acme.scalekit.com";

fn identity(is_local: bool) -> Identity {
    let environment = ScalekitEnvironment::new(URL, "res_1").unwrap();
    Identity { environment: Arc::new(environment), is_local }
}

fn advice(finding: &Finding) -> &str {
    finding.advice().unwrap_or_default()
}

#[test]
fn an_environment_answers_and_is_the_one_it_says() {
    let discovery = json!({ "issuer": URL });
    let finding = reached(&identity(false), &Ok(answer(200, &[], discovery.to_string())));
    assert_eq!(finding.verdict(), Verdict::Pass, "{finding:?}");
}

#[test]
fn what_is_not_the_environment_names_the_setting() {
    let other = json!({ "issuer": "https://auth.acme.com" });
    let location = [(LOCATION, "https://www.scalekit.com/")];
    for (discovery, seen) in [
        (Err(Unreachable::UnknownHost), "DNS"),
        (Err(Unreachable::Refused), "nothing accepts connections"),
        (Err(Unreachable::TimedOut), "does not answer"),
        (Err(Unreachable::Certificate("expired".to_owned())), "certificate"),
        (Ok(answer(404, &[], "")), "no Scalekit environment"),
        (Ok(answer(200, &[], "<html>")), "no Scalekit environment"),
        (Ok(answer(302, &location, "")), "redirects to https://www.scalekit.com/"),
        (Ok(answer(200, &[], other.to_string())), "calls itself https://auth.acme.com"),
        (Ok(answer(200, &[], "{}")), "something else"),
    ] {
        let finding = reached(&identity(false), &discovery);
        assert_eq!(finding.verdict(), Verdict::Fail, "{finding:?}");
        assert!(finding.seen().contains(seen), "{finding:?}");
        assert!(advice(&finding).contains("SCALEKIT_ENVIRONMENT_URL"), "{finding:?}");
    }
}

#[test]
fn an_outage_is_no_mistake_of_the_settings() {
    for status in [429, 500, 503] {
        let finding = reached(&identity(false), &Ok(answer(status, &[], "")));
        assert_eq!(finding.verdict(), Verdict::Fail);
        assert!(advice(&finding).contains("wait"), "{finding:?}");
    }
}

#[test]
fn a_local_identity_may_rest_but_nobody_else_may_sit_in_its_place() {
    let resting = reached(&identity(true), &Err(Unreachable::Refused));
    assert_eq!(resting.verdict(), Verdict::Warn);
    for discovery in
        [answer(404, &[], ""), answer(200, &[], json!({ "issuer": "http://x" }).to_string())]
    {
        let finding = reached(&identity(true), &Ok(discovery));
        assert_eq!(finding.verdict(), Verdict::Fail);
        assert!(advice(&finding).contains("EMULATOR_PORT"), "{finding:?}");
    }
}

#[test]
fn clocks_may_differ_a_little() {
    // The answers come at 09:33:20.5 by our clock.
    for (date, age, verdict, word) in [
        ("Sun, 22 Nov 2026 09:33:20 GMT", "0", Verdict::Pass, "agrees"),
        ("Sun, 22 Nov 2026 09:33:15 GMT", "0", Verdict::Pass, "agrees"),
        ("Sun, 22 Nov 2026 09:33:14 GMT", "0", Verdict::Warn, "6 s ahead"),
        ("Sun, 22 Nov 2026 09:33:26 GMT", "0", Verdict::Warn, "6 s behind"),
        ("Sun, 22 Nov 2026 09:34:20 GMT", "0", Verdict::Warn, "60 s behind"),
        ("Sun, 22 Nov 2026 09:34:21 GMT", "0", Verdict::Fail, "not yet valid"),
        ("Sun, 22 Nov 2026 09:32:19 GMT", "0", Verdict::Fail, "as expired"),
        ("Sun, 22 Nov 2026 09:32:19 GMT", "60", Verdict::Pass, "agrees"),
        ("yesterday", "0", Verdict::Warn, "no date"),
    ] {
        let finding = clocks(&answer(200, &[(DATE, date), (AGE, age)], ""));
        assert_eq!(finding.verdict(), verdict, "{date}: {finding:?}");
        assert!(format!("{} {}", finding.seen(), advice(&finding)).contains(word), "{finding:?}");
    }
    assert_eq!(clocks(&answer(200, &[], "")).verdict(), Verdict::Warn);
}

#[test]
fn one_key_for_signatures_is_needed() {
    // Odd and of 2048 bits is all that a modulus needs to be read.
    let modulus = "_".repeat(341) + "w";
    let key = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB" });
    let other = json!({ "kty": "RSA", "use": "enc", "n": modulus, "e": "AQAB" });
    let good = published_keys(&Ok(answer(200, &[], json!({ "keys": [key, other] }).to_string())));
    assert_eq!(good.seen(), "1 RS256 signing key, and 1 for other uses");
    assert_eq!(good.verdict(), Verdict::Pass);
    for bad in [
        Err(Unreachable::TimedOut),
        Ok(answer(404, &[], "")),
        Ok(answer(200, &[], "<html>")),
        Ok(answer(200, &[], json!({ "keys": [] }).to_string())),
        Ok(answer(200, &[], json!({ "keys": [other] }).to_string())),
    ] {
        let finding = published_keys(&bad);
        assert_eq!(finding.verdict(), Verdict::Fail);
        assert!(advice(&finding).contains("SCALEKIT_ENVIRONMENT_URL"), "{finding:?}");
    }
}
