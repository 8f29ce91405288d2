//! A user with a browser, who is redirected to the authorization server and back.

use std::time::Duration;

use url::{Url, form_urlencoded};

/// Follows no redirect: the client does not listen, and only the address counts.
pub(crate) struct Browser(reqwest::Client);

/// An open consent page.
#[derive(Debug)]
pub(crate) struct ConsentPage {
    url: Url,
    pub(crate) html: String,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20));
        Self(client.build().unwrap())
    }

    /// Opens a page where consent is automatic, and returns the address of the redirect.
    pub(crate) async fn pass(&self, authorization_url: &str) -> String {
        let response = self.0.get(authorization_url).send().await.unwrap();
        assert_eq!(response.status(), 302);
        location(&response)
    }

    /// Opens the consent page.
    pub(crate) async fn open(&self, authorization_url: &str) -> ConsentPage {
        let response = self.0.get(authorization_url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let url = response.url().clone();
        ConsentPage { url, html: response.text().await.unwrap() }
    }

    /// Presses Allow with exactly these scopes ticked, and returns the address of the redirect.
    pub(crate) async fn allow(&self, page: &ConsentPage, ticked: &[&str]) -> String {
        let response = self.submit(page, ticked).await;
        assert_eq!(response.status(), 303);
        location(&response)
    }

    /// Presses Allow with exactly these scopes ticked, and returns any response.
    pub(crate) async fn submit(&self, page: &ConsentPage, ticked: &[&str]) -> reqwest::Response {
        let offered: Vec<String> = page.inputs("checkbox").map(|(_, value)| value).collect();
        assert!(ticked.iter().all(|scope| offered.iter().any(|it| it == scope)), "{offered:?}");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(page.inputs("hidden"));
        form.extend_pairs(ticked.iter().map(|scope| ("scope", scope)));
        form.append_pair("decision", "allow");

        let [form_tag] = page.tags("form")[..] else { panic!("{}", page.html) };
        let action = page.url.join(&attribute(form_tag, "action").unwrap()).unwrap();
        let request = self
            .0
            .post(action)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", page.url.origin().ascii_serialization())
            .body(form.finish());
        request.send().await.unwrap()
    }
}

impl ConsentPage {
    /// The names and values of the inputs of this type.
    fn inputs(&self, kind: &str) -> impl Iterator<Item = (String, String)> {
        let of_kind = |tag: &&str| attribute(tag, "type").as_deref() == Some(kind);
        let named = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value")?));
        self.tags("input").into_iter().filter(of_kind).filter_map(named)
    }

    /// The opening tags of this name, without the angle brackets.
    fn tags(&self, name: &str) -> Vec<&str> {
        let opening = format!("<{name} ");
        self.html.split(&opening).skip(1).filter_map(|rest| rest.split('>').next()).collect()
    }
}

/// The value of a quoted attribute.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&amp;", "&"))
}

fn location(response: &reqwest::Response) -> String {
    response.headers()["location"].to_str().unwrap().to_owned()
}
