//! The consent page.

use std::fmt;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Escaped, page};
use crate::{
    identity::LOCAL_USER_NAME,
    oauth::scope::{KNOWN, Scope, Scopes},
};

/// What a person has to know to decide.
pub(crate) struct Consent {
    /// Where the decision goes.
    pub(crate) action: &'static str,
    pub(crate) client: String,
    /// The host of a client id that is a URL. The name is only what the client says of itself.
    pub(crate) vouched_for_by: Option<String>,
    /// Where the client will be told.
    pub(crate) destination: String,
    pub(crate) server_url: String,
    pub(crate) scopes: Scopes,
    /// The id of the pending request.
    pub(crate) request: String,
}

impl IntoResponse for Consent {
    fn into_response(self) -> Response {
        let title = format!("{} asks for access", self.client);
        page(StatusCode::OK, &title, &self.to_string())
    }
}

impl fmt::Display for Consent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            r#"<h1><bdi>{client}</bdi> wants to use your todos</h1>
<form method="post" action="{action}">
<input type="hidden" name="request" value="{request}">
<fieldset>
<legend>Untick what it should not be able to do.</legend>
"#,
            client = Escaped(&self.client),
            action = self.action,
            request = Escaped(&self.request),
        )?;
        for scope in KNOWN.iter().filter(|scope| self.scopes.contains(scope.name)) {
            write!(formatter, "{}", Checkbox(scope))?;
        }
        formatter.write_str("</fieldset>\n<dl>\n")?;
        if let Some(host) = &self.vouched_for_by {
            writeln!(
                formatter,
                "<dt>Application from</dt><dd><strong>{}</strong></dd>",
                Escaped(host)
            )?;
        }
        write!(
            formatter,
            r#"<dt>Todo server</dt><dd>{server}</dd>
<dt>You are</dt><dd>{LOCAL_USER_NAME}</dd>
<dt>Answer goes to</dt><dd><strong>{destination}</strong></dd>
</dl>
<div class="actions">
<button name="decision" value="deny">Deny</button>
<button name="decision" value="allow" class="primary">Allow</button>
</div>
</form>"#,
            server = Escaped(&self.server_url),
            destination = Escaped(&self.destination),
        )
    }
}

struct Checkbox<'a>(&'a Scope);

impl fmt::Display for Checkbox<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { name, allows, .. } = self.0;
        writeln!(
            formatter,
            r#"<label><input type="checkbox" name="scope" value="{name}" checked><span>{allows}<code>{name}</code></span></label>"#,
        )
    }
}
