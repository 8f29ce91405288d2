//! Whether the answer to a request without a token leads clients to one (RFC 9728 section 5.1).

use protected_mcp::PublicUrl;
use reqwest::header::WWW_AUTHENTICATE;

use super::server::rejected_host;
use crate::doctor::finding::Finding;
use crate::http::{Answer, Unreachable, excerpt};

const CHECK: &str = "challenge";

pub(crate) fn check(url: &PublicUrl, answer: &Result<Answer, Unreachable>) -> Finding {
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => return Finding::fail(CHECK, format!("{}: {reason}", url.resource())),
    };
    if let Some(rejected) = rejected_host(answer) {
        return rejected;
    }
    if answer.status != 401 {
        let seen = format!("{} without a token returns {}, not 401", url.resource(), answer.status);
        let advice = "Something between here and the server responds in its place: a proxy must \
                      forward POST /mcp, and return responses unchanged.";
        return Finding::fail(CHECK, seen).advise(advice);
    }
    match answer.header(WWW_AUTHENTICATE) {
        None => {
            let advice = "Clients cannot find out where to log in. The proxy in front must keep the \
                          WWW-Authenticate header of responses with status 401.";
            Finding::fail(CHECK, "the 401 has no WWW-Authenticate header").advise(advice)
        }
        Some(challenge) if challenge.contains(&format!("\"{}\"", url.resource_metadata())) => {
            Finding::pass(CHECK, "the 401 leads to the metadata, and from there to a token")
        }
        Some(challenge) => {
            let seen = format!("the 401 leads elsewhere: {}", excerpt(challenge));
            let advice = "The proxy in front must not change the WWW-Authenticate header.";
            Finding::fail(CHECK, seen).advise(advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::server::tests::{assert_finding, rejection};
    use super::*;
    use crate::doctor::finding::Verdict::{self, Fail, Pass};
    use crate::http::tests::answer;

    #[test]
    fn a_request_without_a_token_must_lead_to_one() {
        let url = "https://todo.example.com".parse().unwrap();
        let ours = "Bearer resource_metadata=\"https://todo.example.com/.well-known/\
                    oauth-protected-resource/mcp\", scope=\"todo:read todo:write\"";
        let basic = "Basic realm=\"x\"";
        let cases: [(Answer, Verdict, &[&str]); 6] = [
            (answer(401, &[(WWW_AUTHENTICATE, ours)], ""), Pass, &["leads to the metadata"]),
            (answer(401, &[(WWW_AUTHENTICATE, basic)], ""), Fail, &["not change the WWW"]),
            (answer(401, &[], ""), Fail, &["keep the WWW-Authenticate header"]),
            (answer(403, &[], rejection()), Fail, &["ALLOWED_HOSTS"]),
            (answer(200, &[], "{}"), Fail, &["without a token returns 200"]),
            (answer(404, &[], ""), Fail, &["must forward POST /mcp"]),
        ];
        for (answer, verdict, words) in cases {
            assert_finding(&check(&url, &Ok(answer)), verdict, words);
        }
        let timed_out = check(&url, &Err(Unreachable::TimedOut));
        assert_finding(&timed_out, Fail, &["within 5 seconds"]);
    }
}
