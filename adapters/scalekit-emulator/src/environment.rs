//! One Scalekit environment with one MCP server registered in it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    claims::{ACCESS_TOKEN_LIFETIME, AccessTokenClaims},
    client_documents::ClientDocuments,
    identity::TokenRequest,
    oauth::{resource_indicator::ServerUrl, scope::Scopes},
    quirks::{ForeignKey, switchboard::Switchboard},
    state::{
        authorization::{AuthorizedCode, PendingAuthorization},
        key_ring::KeyRing,
        ledger::Ledger,
        tickets::Tickets,
    },
};

/// Unix seconds, now.
pub(crate) type UnixClock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The two authorization servers that a Scalekit environment shows: the one of the resource, which
/// MCP clients find, and the one of the environment, which answered for all resources before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationServer {
    OfTheResource,
    OfTheEnvironment,
}

/// Names, keys, clock, state and quirks.
pub(crate) struct Environment {
    /// Without a trailing slash.
    pub(crate) url: String,
    /// Letters, digits, `_` and `-`.
    pub(crate) resource_id: String,
    pub(crate) server_url: ServerUrl,
    pub(crate) auto_consent: bool,
    pub(crate) clock: UnixClock,
    pub(crate) keys: KeyRing,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pending: Tickets<PendingAuthorization>,
    pub(crate) codes: Tickets<AuthorizedCode>,
    pub(crate) client_documents: ClientDocuments,
    pub(crate) quirks: Switchboard,
}

impl Environment {
    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// The issuer identifier that the server's metadata carries (RFC 8414 section 2).
    pub(crate) fn issuer(&self, server: AuthorizationServer) -> String {
        match server {
            AuthorizationServer::OfTheResource => {
                format!("{}/resources/{}", self.url, self.resource_id)
            }
            AuthorizationServer::OfTheEnvironment => self.url.clone(),
        }
    }

    /// A signed access token. `session` is that of the login it comes from.
    pub(crate) fn mint(&self, request: &TokenRequest, session: Option<&str>) -> String {
        self.keys.sign(&AccessTokenClaims::new(self, request, session))
    }

    /// The key set (RFC 7517 section 5).
    pub(crate) fn jwks(&self) -> Value {
        let foreign = self.quirks.current().foreign_keys.into_iter().map(ForeignKey::jwk);
        let keys: Vec<Value> =
            foreign.chain(self.keys.jwks().into_iter().map(|key| json!(key))).collect();
        json!({ "keys": keys })
    }

    /// Seconds that a token of the token endpoint is good for.
    pub(crate) fn token_lifetime(&self) -> i64 {
        self.quirks.current().token_lifetime.unwrap_or(ACCESS_TOKEN_LIFETIME)
    }

    /// What the person may have out of what was granted.
    pub(crate) fn permitted(&self, granted: &Scopes) -> Scopes {
        match self.quirks.current().permissions {
            None => granted.clone(),
            Some(permissions) => granted.permitted(&permissions),
        }
    }
}
