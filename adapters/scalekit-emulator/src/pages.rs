//! HTML for people: no script, nothing fetched, light and dark.

pub(crate) mod consent;
mod text;
pub(crate) mod welcome;

use aws_lc_rs::digest;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use text::{Breakable, Escaped};

const STYLE: &str = include_str!("pages/style.css");

/// What went wrong, for the person in front of the browser. All of it is text.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) title: &'static str,
    pub(crate) explanation: String,
    pub(crate) what_to_do: String,
}

/// A page that says what went wrong and what to do.
pub(crate) fn problem(status: StatusCode, server_name: &str, problem: &Problem) -> Response {
    let Problem { title, explanation, what_to_do } = problem;
    let body = format!(
        "<h1>{}</h1>\n<p>{}</p>\n<h2>What to do</h2>\n<p>{}</p>",
        Escaped(title),
        Breakable(explanation),
        Breakable(what_to_do)
    );
    page(status, server_name, title, &body)
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
        // With `no-referrer` browsers withhold the `Origin` of the consent form as well.
        (header::REFERRER_POLICY, "same-origin".to_owned()),
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
