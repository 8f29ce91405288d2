//! Whether Scalekit publishes a key that access tokens can be verified with.

use scalekit::PublishedKeys;

use crate::doctor::finding::Finding;
use crate::http::{Answer, Unreachable};

const CHECK: &str = "keys";

pub(crate) fn check(keys: &Result<Answer, Unreachable>) -> Finding {
    match keys {
        Err(reason) => failed(format!("cannot be fetched: {reason}")),
        Ok(answer) if answer.status != 200 => {
            failed(format!("/keys returns status {}", answer.status))
        }
        Ok(answer) => match PublishedKeys::parse(&answer.body) {
            Err(_) => failed("/keys has no RS256 signing key".to_owned()),
            Ok(PublishedKeys { usable, ignored }) => {
                let keys = if usable == 1 { "key" } else { "keys" };
                let others = match ignored {
                    0 => String::new(),
                    others => format!(", and {others} for other uses"),
                };
                Finding::pass(CHECK, format!("{usable} RS256 signing {keys}{others}"))
            }
        },
    }
}

fn failed(seen: String) -> Finding {
    let advice = "No token can be verified. SCALEKIT_ENVIRONMENT_URL must be the environment URL of \
                  the dashboard; if it is, contact Scalekit's support.";
    Finding::fail(CHECK, seen).advise(advice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict;
    use crate::http::tests::answer;

    #[test]
    fn one_signing_key_is_needed() {
        // A modulus is accepted if it is odd and has 2048 bits.
        let modulus = "_".repeat(341) + "w";
        let key = json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "n": modulus, "e": "AQAB" });
        let other = json!({ "kty": "RSA", "use": "enc", "n": modulus, "e": "AQAB" });
        let good = check(&Ok(answer(200, &[], json!({ "keys": [key, other] }).to_string())));
        assert_eq!(good.seen(), "1 RS256 signing key, and 1 for other uses");
        assert_eq!(good.verdict(), Verdict::Pass);
        for bad in [
            Err(Unreachable::TimedOut),
            Ok(answer(404, &[], "")),
            Ok(answer(200, &[], "<html>")),
            Ok(answer(200, &[], json!({ "keys": [] }).to_string())),
            Ok(answer(200, &[], json!({ "keys": [other] }).to_string())),
        ] {
            let finding = check(&bad);
            assert_eq!(finding.verdict(), Verdict::Fail);
            assert!(finding.advice().unwrap().contains("SCALEKIT_ENVIRONMENT_URL"), "{finding:?}");
        }
    }
}
