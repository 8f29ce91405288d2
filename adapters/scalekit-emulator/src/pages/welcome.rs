//! The page at the root of the environment.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Escaped, page};

/// What a developer may want to look up.
pub(crate) struct Welcome {
    pub(crate) environment_url: String,
    pub(crate) issuer: String,
    pub(crate) server_url: String,
    pub(crate) resource_id: String,
    pub(crate) auto_consent: bool,
}

impl IntoResponse for Welcome {
    fn into_response(self) -> Response {
        let environment = Escaped(&self.environment_url);
        let issuer = Escaped(&self.issuer);
        let consent = if self.auto_consent {
            "given without asking (<code>EMULATOR_AUTO_CONSENT</code>)"
        } else {
            "asked for on a page like this one"
        };
        let body = format!(
            r#"<h1>A Scalekit environment of your own</h1>
<p>The todo server runs without Scalekit settings, so it brought its own authorization server.
There is nothing to do here: point an MCP client at the todo server, and it finds this place by
itself.</p>
<dl>
<dt>Todo server</dt><dd>{server}</dd>
<dt>Resource</dt><dd>{resource}</dd>
<dt>Issuer</dt><dd>{issuer}</dd>
<dt>Consent</dt><dd>{consent}</dd>
</dl>
<ul>
<li><a href="{issuer}/.well-known/oauth-authorization-server">What clients read: metadata</a></li>
<li><a href="{environment}/keys">What the todo server reads: keys</a></li>
</ul>
<p>For a token on the command line: <code>cargo run -- token</code></p>"#,
            server = Escaped(&self.server_url),
            resource = Escaped(&self.resource_id),
        );
        page(StatusCode::OK, "Welcome", &body)
    }
}
