//! HTML for people: no script, nothing fetched, light and dark.

pub(crate) mod consent;
pub(crate) mod welcome;

use std::fmt::{self, Write as _};

use aws_lc_rs::digest;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const STYLE: &str = include_str!("pages/style.css");

/// Text as HTML, in an element or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => formatter.write_str("&amp;")?,
                '<' => formatter.write_str("&lt;")?,
                '>' => formatter.write_str("&gt;")?,
                '"' => formatter.write_str("&quot;")?,
                '\'' => formatter.write_str("&#39;")?,
                other => formatter.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A page with one paragraph on what went wrong. Everything in it is escaped.
pub(crate) fn problem(status: StatusCode, server_name: &str, problem: &str) -> Response {
    let body = format!("<h1>This did not work</h1>\n<p>{}</p>", Escaped(problem));
    page(status, server_name, "This did not work", &body)
}

/// `body` is HTML, `title` and `server_name` are text.
fn page(status: StatusCode, server_name: &str, title: &str, body: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Local Scalekit</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header><span class="brand">Local Scalekit</span><span class="badge">Development identity</span></header>
{body}
</main>
<footer>This page comes from the {server_name} on your own computer. It stands in for Scalekit while
you develop: there is no account behind it, and what it grants is worth nothing anywhere else.</footer>
</body>
</html>
"#,
        title = Escaped(title),
        server_name = Escaped(server_name),
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, content_security_policy()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
    ];
    (status, headers, html).into_response()
}

/// Allows the one style sheet and nothing else. There is no `form-action`: browsers apply it to the
/// redirects that follow a form too, and these lead to the client and to wherever it goes on.
fn content_security_policy() -> String {
    let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// `text` with its first character in upper case, for the start of a line.
fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}
