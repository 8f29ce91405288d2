//! The consent page.

use std::fmt;

use axum::http::StatusCode;
use axum::response::Response;

use super::page;
use super::text::{Breakable, Escaped, capitalized};
use crate::environment::Environment;
use crate::oauth::scope::{Scope, Scopes};
use crate::state::records::RegisteredClient;

const UNNAMED: &str = "<p>It does not say what it is. Allow it only if you have just connected an \
application, and the answer goes there.</p>\n";

/// What a person needs to know to decide.
pub(crate) struct Consent<'a> {
    pub(crate) environment: &'a Environment,
    /// Where the decision goes.
    pub(crate) action: &'static str,
    pub(crate) client: &'a RegisteredClient,
    /// Where the authorization response goes.
    pub(crate) destination: String,
    pub(crate) scopes: Scopes,
    /// The id of the pending request.
    pub(crate) request: String,
}

impl Consent<'_> {
    pub(crate) fn page(&self) -> Response {
        let title = format!("{} asks for access", self.client_name());
        page(StatusCode::OK, &self.environment.text.name, &title, &self.to_string())
    }

    fn client_name(&self) -> &str {
        self.client.name.as_deref().unwrap_or("An unnamed client")
    }
}

impl fmt::Display for Consent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Environment { text, urls, user, .. } = self.environment;
        write!(
            formatter,
            r#"<h1><bdi>{client}</bdi> wants to {purpose}</h1>
{warning}<form method="post" action="{action}">
<input type="hidden" name="request" value="{request}">
<fieldset>
<legend>Untick what it should not be able to do.</legend>
"#,
            client = Escaped(self.client_name()),
            purpose = Escaped(&text.purpose),
            warning = if self.client.name.is_none() { UNNAMED } else { "" },
            action = self.action,
            request = Escaped(&self.request),
        )?;
        let offered = self.environment.scopes.iter();
        for scope in offered.filter(|scope| self.scopes.contains(&scope.name)) {
            write!(formatter, "{}", Checkbox(scope))?;
        }
        formatter.write_str("</fieldset>\n<dl>\n")?;
        if let Some(host) = self.client.host() {
            writeln!(
                formatter,
                "<dt>Application from</dt><dd><strong>{}</strong></dd>",
                Escaped(&host)
            )?;
        }
        if self.client.name.is_none() {
            let id = Breakable(&self.client.client_id);
            writeln!(formatter, "<dt>Client id</dt><dd><code>{id}</code></dd>")?;
        }
        write!(
            formatter,
            r#"<dt>{server_name}</dt><dd>{server}</dd>
<dt>You are</dt><dd>{user}</dd>
<dt>Answer goes to</dt><dd><strong>{destination}</strong></dd>
</dl>
<div class="actions">
<button name="decision" value="deny">Deny</button>
<button name="decision" value="allow" class="primary">Allow</button>
</div>
</form>"#,
            server_name = Escaped(&capitalized(&text.name)),
            server = Breakable(&urls.server.mcp_url()),
            user = Escaped(&user.name),
            destination = Escaped(&self.destination),
        )
    }
}

struct Checkbox<'a>(&'a Scope);

impl fmt::Display for Checkbox<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [name, allows] = [&self.0.name, &self.0.allows].map(|text| Escaped(text));
        writeln!(
            formatter,
            r#"<label><input type="checkbox" name="scope" value="{name}" checked><span>{allows}<code>{name}</code></span></label>"#,
        )
    }
}
