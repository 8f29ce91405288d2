//! The page for a person who opens the URL of the server in a browser.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

use crate::jsonrpc::Error;
use crate::links::Links;
use crate::oauth::PublicUrl;
use crate::protocol::Implementation;

const TEMPLATE: &str = include_str!("page.html");

/// What the page says: what this is, the URL to copy, and how to connect each client.
pub(crate) struct Page {
    implementation: Implementation,
    public_url: PublicUrl,
    links: Links,
}

impl Page {
    pub(crate) fn new(implementation: Implementation, public_url: PublicUrl, links: Links) -> Self {
        Self { implementation, public_url, links }
    }

    /// Whether the request is one of a browser that shows what it gets: programs do not ask for HTML.
    pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
        let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted.any(|value| value.contains("text/html"))
    }

    /// The page as the answer to a request to this host.
    pub(crate) fn response(&self, status: StatusCode, host: Option<&HeaderValue>) -> Response {
        let mut response = Response::new(Body::from(self.html(host)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(CONTENT_TYPE, "text/html; charset=utf-8");
        set(
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
        );
        set(VARY, "Accept, Host");
        response
    }

    /// The page for a browser, and the sentence for a program: content that depends on `Accept`.
    pub(crate) fn or_error(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        sentence: impl FnOnce() -> Cow<'static, str>,
    ) -> Response {
        if Self::is_wanted(headers) {
            return self.response(status, headers.get(HOST));
        }
        let mut response = Error::transport(status, sentence()).into_response(None);
        response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
        response
    }

    fn html(&self, host: Option<&HeaderValue>) -> String {
        let Self { implementation, public_url, links } = self;
        let icon = implementation
            .icons()
            .first()
            .map_or(String::new(), |icon| format!("<img src=\"{}\" alt=\"\">", escaped(&icon.src)));
        let reach = if public_url.is_loopback() {
            " They connect from the internet, so the server needs a public https URL first."
        } else {
            ""
        };
        // In one pass, so that a value that looks like a placeholder stays as it is.
        let mut html = String::with_capacity(2 * TEMPLATE.len());
        let mut rest = TEMPLATE;
        while let Some((before, after)) = rest.split_once('{') {
            html.push_str(before);
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            match name {
                "title" => html.push_str(&escaped(implementation.title())),
                "name" => html.push_str(&escaped(implementation.name())),
                "description" => html.push_str(&escaped(implementation.description())),
                "endpoint" => {
                    html.push_str(&escaped(&public_url.as_requested(host).resource()));
                }
                "icon" => html.push_str(&icon),
                "reach" => html.push_str(reach),
                "links" => html.push_str(&anchors(links)),
                _ => {
                    // A brace of the style sheet or of JSON.
                    html.push('{');
                    rest = &rest[before.len() + 1..];
                    continue;
                }
            }
            rest = after;
        }
        html + rest
    }
}

/// The links as a line at the end of the page; nothing without any.
fn anchors(links: &Links) -> String {
    let Links { privacy, terms, support } = links;
    let links = [("Privacy", privacy), ("Terms", terms), ("Support", support)];
    let anchors: Vec<String> = links
        .into_iter()
        .filter_map(|(text, url)| Some((text, escaped(url.as_ref()?.as_str()))))
        .map(|(text, url)| format!("<a href=\"{url}\">{text}</a>"))
        .collect();
    if anchors.is_empty() {
        String::new()
    } else {
        format!("<footer>{}</footer>\n", anchors.join(" · "))
    }
}

/// Text for the inside of an element or of an attribute in double quotes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(url: &str) -> Page {
        let implementation =
            Implementation::new("notes", "Notes & <more>", "1.0.0").with_description("{endpoint}");
        Page::new(implementation, url.parse().unwrap(), Links::default())
    }

    #[test]
    fn the_page_states_the_url_and_escapes_what_it_is_given() {
        let html = page("https://mcp.example.com").html(None);
        assert!(html.contains("<title>Notes &amp; &lt;more&gt;: an MCP server</title>"), "{html}");
        assert!(html.contains("<pre><code>https://mcp.example.com/mcp</code></pre>"), "{html}");
        assert!(html.contains("<p>{endpoint}</p>"), "a value is not a placeholder: {html}");
        let json = "{\"servers\": {\"notes\": {\n  \"type\": \"http\",\n  \
                    \"url\": \"https://mcp.example.com/mcp\"\n}}}</code>";
        assert!(html.contains(json), "{html}");
        assert!(html.contains(":root { color-scheme"), "{html}");
        assert!(!html.contains("public https URL"), "{html}");
    }

    #[test]
    fn on_this_machine_the_page_states_the_url_that_was_opened() {
        let host = HeaderValue::from_static("127.0.0.1:3002");
        let html = page("http://localhost:3002").html(Some(&host));
        assert!(html.contains("<code>http://127.0.0.1:3002/mcp</code>"), "{html}");
        assert!(html.contains("public https URL"), "{html}");
    }

    #[test]
    fn the_links_that_are_set_are_at_the_end() {
        let mut page = page("https://mcp.example.com");
        assert!(!page.html(None).contains("<footer>"));
        page.links.terms = "https://example.com/?a&b=\"".parse().ok();
        page.links.support = "https://example.com/help".parse().ok();
        let links = "<footer><a href=\"https://example.com/?a&amp;b=%22\">Terms</a> · \
                     <a href=\"https://example.com/help\">Support</a></footer>\n";
        assert!(page.html(None).ends_with(links), "{}", page.html(None));
    }

    #[test]
    fn only_browsers_get_a_page() {
        let wanted = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            Page::is_wanted(&headers)
        };
        assert!(wanted("text/html,application/xhtml+xml,*/*;q=0.8"));
        for program in ["*/*", "application/json", "application/json, text/event-stream"] {
            assert!(!wanted(program), "{program}");
        }
        assert!(!Page::is_wanted(&HeaderMap::new()));
    }
}
