//! The page at the root of the environment.

use axum::http::StatusCode;
use axum::response::Response;

use super::page;
use super::text::{Breakable, Escaped, capitalized};
use crate::environment::Environment;
use crate::urls::AuthorizationServer;

pub(crate) fn welcome(environment: &Environment) -> Response {
    let Environment { urls, text, .. } = environment;
    let issuer = urls.issuer(AuthorizationServer::OfTheResource);
    let consent = if environment.auto_consent {
        "given without asking"
    } else {
        "asked for on a page like this one"
    };
    let token_command = text.token_command.as_deref().map_or_else(String::new, |command| {
        let command = Escaped(command);
        format!("\n<p>For a token on the command line: <code>{command}</code></p>")
    });
    let body = format!(
        r#"<h1>A Scalekit environment of your own</h1>
<p>The {name} runs without Scalekit settings, so it brought its own authorization server.
There is nothing to do here: give an MCP client the URL of the {name}, and it finds this place by
itself.</p>
<dl>
<dt>{title}</dt><dd><strong>{server}</strong></dd>
<dt>Resource</dt><dd>{resource}</dd>
<dt>Issuer</dt><dd>{shown_issuer}</dd>
<dt>Consent</dt><dd>{consent}</dd>
</dl>
<ul>
<li><a href="{issuer}/.well-known/oauth-authorization-server">What clients read: metadata</a></li>
<li><a href="{keys}">What the {name} reads: keys</a></li>
</ul>{token_command}"#,
        name = Escaped(&text.name),
        title = Escaped(&capitalized(&text.name)),
        server = Breakable(&urls.server.mcp_url()),
        resource = Escaped(&urls.resource_id),
        issuer = Escaped(&issuer),
        shown_issuer = Breakable(&issuer),
        keys = Escaped(&urls.keys()),
    );
    page(StatusCode::OK, &text.name, "Welcome", &body)
}
