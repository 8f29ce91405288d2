//! What an access token is to contain.

use crate::oauth::scope::Scopes;

/// Seconds; the default of a Scalekit MCP server.
pub(crate) const ACCESS_TOKEN_LIFETIME: i64 = 3600;

/// The content of an access token. If `subject` equals `client_id` it is the token of a machine, which
/// has neither roles nor a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// `sub`.
    pub subject: String,
    /// `oid`; absent from the token when `None`.
    pub organization: Option<String>,
    pub client_id: String,
    /// `scope` and `scopes`, in this order.
    pub scopes: Vec<String>,
    /// Seconds from now to `exp`. Negative for a token that has already expired.
    pub expires_in: i64,
}

impl TokenRequest {
    /// For a client that acts on its own behalf (RFC 6749 section 4.4).
    pub(crate) fn for_machine(client_id: &str, scopes: &Scopes, expires_in: i64) -> Self {
        Self {
            subject: client_id.to_owned(),
            organization: None,
            client_id: client_id.to_owned(),
            scopes: scopes.to_names(),
            expires_in,
        }
    }

    pub(crate) fn is_for_a_machine(&self) -> bool {
        self.subject == self.client_id
    }
}
