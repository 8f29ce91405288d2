//! HTML for people: no script, nothing fetched, light and dark.

pub(crate) mod consent;
mod escaped;
pub(crate) mod welcome;

use aws_lc_rs::digest;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use escaped::Escaped;

const STYLE: &str = include_str!("pages/style.css");

/// A page that says in one paragraph what went wrong. Everything in it is escaped.
pub(crate) fn problem(status: StatusCode, problem: &str) -> Response {
    let body = format!("<h1>This did not work</h1>\n<p>{}</p>", Escaped(problem));
    page(status, "This did not work", &body)
}

/// `body` is HTML, `title` is text.
fn page(status: StatusCode, title: &str, body: &str) -> Response {
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
<footer>This page comes from the todo server on your own computer. It stands in for Scalekit while
you develop: there is no account behind it, and what it grants is worth nothing anywhere else.</footer>
</body>
</html>
"#,
        title = Escaped(title),
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

/// Allows our one style sheet and nothing else. There is no `form-action`: browsers apply it to the
/// redirects that follow a form too, and these lead to the client and to wherever it goes on.
fn content_security_policy() -> String {
    let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; frame-ancestors 'none'"
    )
}
