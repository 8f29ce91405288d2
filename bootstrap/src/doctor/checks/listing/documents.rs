//! What a stranger finds below `/.well-known/`.

use protected_mcp::PublicUrl;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::compose::OPENAI_CHALLENGE;
use crate::doctor::finding::Finding;
use crate::http::{Answer, Unreachable};

/// The metadata of the protected resource (RFC 9728), if that is what was answered.
pub(crate) fn metadata(
    url: &PublicUrl,
    answer: &Result<Answer, Unreachable>,
) -> (Finding, Option<Value>) {
    const CHECK: &str = "listing: metadata";
    let seen = match answer {
        Ok(answer) => match answer.document() {
            Some(metadata) if metadata["resource"] == url.resource().as_str() => {
                let seen = "a stranger finds where to log in and which scopes there are";
                return (Finding::pass(CHECK, seen), Some(metadata));
            }
            Some(_) => format!("{} is about another server", url.resource_metadata()),
            None => format!("{} returns status {}", url.resource_metadata(), answer.status),
        },
        Err(reason) => format!("{}: {reason}", url.resource_metadata()),
    };
    let advice = "Directories look at the running server: start it with these settings, and see the check \
                  `server`.";
    (Finding::fail(CHECK, seen).advise(advice), None)
}

/// The token of OpenAI, and what is at its place if the setting is set.
pub(crate) fn challenge(
    token: Option<&str>,
    answer: Option<&Result<Answer, Unreachable>>,
) -> Finding {
    const CHECK: &str = "listing: OpenAI";
    let path = format!("/.well-known/{OPENAI_CHALLENGE}");
    let (Some(token), Some(answer)) = (token, answer) else {
        let advice = "For OpenAI's directory only: it shows a token when you submit the server. Set \
                      TODO_OPENAI_CHALLENGE to it.";
        return Finding::note(CHECK, "TODO_OPENAI_CHALLENGE is not set").advise(advice);
    };
    let seen = match answer {
        Ok(answer) if answer.status == 200 => {
            let kind = answer.header(CONTENT_TYPE).unwrap_or_default();
            if answer.body.trim() != token {
                format!("{path} returns another text than TODO_OPENAI_CHALLENGE")
            } else if !kind.starts_with("text/plain") {
                format!("{path} is not returned as text/plain")
            } else {
                return Finding::pass(CHECK, format!("{path} returns the token"));
            }
        }
        Ok(answer) => format!("{path} returns status {}", answer.status),
        Err(reason) => format!("{path}: {reason}"),
    };
    let advice = "Restart the server with these settings. A proxy in front must forward the paths below \
                  /.well-known/ and leave responses unchanged.";
    Finding::fail(CHECK, seen).advise(advice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Note, Pass};
    use crate::http::tests::answer;

    #[test]
    fn the_token_must_be_answered_as_plain_text() {
        let plain = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        for (answer, verdict) in [
            (Ok(answer(200, &plain, "t0ken\n")), Pass),
            (Ok(answer(200, &plain, "other")), Fail),
            (Ok(answer(200, &[(CONTENT_TYPE, "text/html")], "t0ken")), Fail),
            (Ok(answer(404, &[], "")), Fail),
            (Err(Unreachable::TimedOut), Fail),
        ] {
            let finding = challenge(Some("t0ken"), Some(&answer));
            assert_eq!(finding.verdict(), verdict, "{finding:?}");
        }
        assert_eq!(challenge(None, None).verdict(), Note);
    }

    #[test]
    fn the_metadata_must_be_that_of_the_public_url() {
        let url = "https://todo.acme.com".parse().unwrap();
        let document = |resource| Ok(answer(200, &[], json!({ "resource": resource }).to_string()));
        let (finding, found) = metadata(&url, &document("https://todo.acme.com/mcp"));
        assert_eq!((finding.verdict(), found.is_some()), (Pass, true));
        for wrong in [
            document("https://other.acme.com/mcp"),
            Ok(answer(404, &[], "")),
            Err(Unreachable::Refused),
        ] {
            let (finding, found) = metadata(&url, &wrong);
            assert_eq!((finding.verdict(), found), (Fail, None));
        }
    }
}
