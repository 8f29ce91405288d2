//! One Scalekit environment with one MCP server registered in it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    claims::AccessTokenClaims,
    identity::TokenRequest,
    oauth::resource_indicator::ServerUrl,
    state::{
        authorization::{AuthorizedCode, PendingAuthorization},
        ledger::Ledger,
        signing_key::SigningKey,
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

/// Names, key, clock and state.
pub(crate) struct Environment {
    /// Without a trailing slash.
    pub(crate) url: String,
    /// Letters, digits, `_` and `-`.
    pub(crate) resource_id: String,
    pub(crate) server_url: ServerUrl,
    pub(crate) auto_consent: bool,
    pub(crate) clock: UnixClock,
    pub(crate) signing_key: SigningKey,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pending: Tickets<PendingAuthorization>,
    pub(crate) codes: Tickets<AuthorizedCode>,
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
        self.signing_key.sign(&AccessTokenClaims::new(self, request, session))
    }

    /// The key set (RFC 7517 section 5).
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": [self.signing_key.jwk()] })
    }
}
