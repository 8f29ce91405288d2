//! The pages for people: privacy, terms and support.

use protected_mcp::Links;
use reqwest::header::LOCATION;
use serde_json::Value;
use url::Url;

use crate::doctor::finding::Finding;
use crate::http::{Answer, Unreachable, excerpt, is_loopback};

/// A page that directories ask for.
pub(crate) struct Page<'a> {
    check: &'static str,
    setting: &'static str,
    pub(crate) url: Option<&'a Url>,
    /// Of the metadata of the protected resource, if there is one for it.
    member: Option<&'static str>,
}

pub(crate) fn pages(links: &Links) -> [Page<'_>; 3] {
    let Links { privacy, terms, support } = links;
    [
        ("listing: privacy", "TODO_PRIVACY_URL", privacy, Some("resource_policy_uri")),
        ("listing: terms", "TODO_TERMS_URL", terms, Some("resource_tos_uri")),
        ("listing: support", "TODO_SUPPORT_URL", support, None),
    ]
    .map(|(check, setting, url, member)| Page { check, setting, url: url.as_ref(), member })
}

/// `answer` is that of the page, `metadata` that of the running server, if it has some.
pub(crate) fn check(
    page: &Page<'_>,
    answer: Option<&Result<Answer, Unreachable>>,
    metadata: Option<&Value>,
) -> Finding {
    let Page { check, setting, .. } = *page;
    let (Some(url), Some(answer)) = (page.url, answer) else {
        let advice = format!("Both directories ask for it: set {setting} to a page of yours.");
        return Finding::fail(check, format!("{setting} is not set")).advise(advice);
    };
    let published = page.member.zip(metadata).map(|(member, metadata)| &metadata[member]);
    if published.is_some_and(|published| published != url.as_str()) {
        let seen = format!("the running server does not know {setting}");
        return Finding::fail(check, seen).advise("Restart it with these settings.");
    }
    if is_loopback(url) {
        let advice = format!("Set {setting} to a page on the internet.");
        return Finding::fail(check, format!("{url} is on this machine")).advise(advice);
    }
    seen(check, setting, url, answer)
}

fn seen(
    check: &'static str,
    setting: &str,
    url: &Url,
    answer: &Result<Answer, Unreachable>,
) -> Finding {
    let failure = match answer {
        Ok(answer) if answer.status == 200 => {
            return Finding::pass(check, format!("{url} returns 200"));
        }
        Ok(answer) if (300..400).contains(&answer.status) => {
            let target = answer.header(LOCATION).map_or_else(|| "elsewhere".to_owned(), excerpt);
            let advice = format!("Set {setting} to the page itself, which must need no login.");
            return Finding::warn(check, format!("{url} leads to {target}")).advise(advice);
        }
        Ok(answer) => format!("{url} returns status {}", answer.status),
        Err(reason) => format!("{url}: {reason}"),
    };
    Finding::fail(check, failure).advise(format!("{setting} must be a page that anyone can read."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::finding::Verdict::{Fail, Pass, Warn};
    use crate::http::tests::answer;

    #[test]
    fn a_page_must_be_set_published_and_readable() {
        let links = |url: &str| Links { privacy: url.parse().ok(), ..Links::default() };
        let url = "https://acme.com/privacy";
        let published = json!({ "resource_policy_uri": url });
        let found = || Ok(answer(200, &[], ""));
        let moved = Ok(answer(302, &[(LOCATION, "/login")], ""));
        for (url, answer, metadata, verdict, word) in [
            (url, found(), &published, Pass, "returns 200"),
            (url, moved, &published, Warn, "leads to /login"),
            (url, Ok(answer(404, &[], "")), &published, Fail, "status 404"),
            (url, Err(Unreachable::UnknownHost), &published, Fail, "DNS"),
            (url, found(), &json!({}), Fail, "does not know TODO_PRIVACY_URL"),
            (
                "http://localhost/",
                found(),
                &json!({ "resource_policy_uri": "http://localhost/" }),
                Fail,
                "machine",
            ),
        ] {
            let links = links(url);
            let finding = check(&pages(&links)[0], Some(&answer), Some(metadata));
            assert_eq!(finding.verdict(), verdict, "{finding:?}");
            assert!(finding.seen().contains(word), "{finding:?}");
        }
        let unset = Links::default();
        for page in pages(&unset) {
            let finding = check(&page, None, Some(&published));
            assert_eq!(finding.verdict(), Fail);
            assert!(finding.advice().unwrap().contains(page.setting), "{finding:?}");
        }
    }
}
