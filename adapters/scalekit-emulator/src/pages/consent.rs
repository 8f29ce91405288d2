//! The consent page.

use std::fmt;

use axum::http::StatusCode;
use axum::response::Response;

use super::{Escaped, capitalized, page};
use crate::environment::Environment;
use crate::oauth::scope::{Scope, Scopes};

/// What a person needs to know to decide.
pub(crate) struct Consent<'a> {
    pub(crate) environment: &'a Environment,
    /// Where the decision goes.
    pub(crate) action: &'static str,
    pub(crate) client: &'a str,
    /// The host of a client id that is a URL. The client chose its name itself.
    pub(crate) host: Option<String>,
    /// Where the authorization response goes.
    pub(crate) destination: String,
    pub(crate) scopes: Scopes,
    /// The id of the pending request.
    pub(crate) request: String,
}

impl Consent<'_> {
    pub(crate) fn page(&self) -> Response {
        let title = format!("{} asks for access", self.client);
        page(StatusCode::OK, &self.environment.text.name, &title, &self.to_string())
    }
}

impl fmt::Display for Consent<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Environment { text, urls, user, .. } = self.environment;
        write!(
            formatter,
            r#"<h1><bdi>{client}</bdi> wants to {purpose}</h1>
<form method="post" action="{action}">
<input type="hidden" name="request" value="{request}">
<fieldset>
<legend>Untick what it should not be able to do.</legend>
"#,
            client = Escaped(self.client),
            purpose = Escaped(&text.purpose),
            action = self.action,
            request = Escaped(&self.request),
        )?;
        let offered = self.environment.scopes.iter();
        for scope in offered.filter(|scope| self.scopes.contains(&scope.name)) {
            write!(formatter, "{}", Checkbox(scope))?;
        }
        formatter.write_str("</fieldset>\n<dl>\n")?;
        if let Some(host) = &self.host {
            writeln!(
                formatter,
                "<dt>Application from</dt><dd><strong>{}</strong></dd>",
                Escaped(host)
            )?;
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
            server = Escaped(urls.server.as_str()),
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
