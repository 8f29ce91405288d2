//! The URLs of the environment and of the resource in it.

use crate::oauth::resource_indicator::ServerUrl;

/// The two authorization servers of a Scalekit environment: that of the resource, which MCP clients
/// discover, and that of the environment, which served all resources before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthorizationServer {
    OfTheResource,
    OfTheEnvironment,
}

pub(crate) struct Urls {
    /// `http://127.0.0.1:PORT`, without a trailing slash.
    pub(crate) environment: String,
    /// Letters, digits, `_` and `-`.
    pub(crate) resource_id: String,
    /// The protected server.
    pub(crate) server: ServerUrl,
}

impl Urls {
    /// The issuer identifier in the server's metadata (RFC 8414 section 2).
    pub(crate) fn issuer(&self, server: AuthorizationServer) -> String {
        match server {
            AuthorizationServer::OfTheResource => {
                format!("{}/resources/{}", self.environment, self.resource_id)
            }
            AuthorizationServer::OfTheEnvironment => self.environment.clone(),
        }
    }

    pub(crate) fn keys(&self) -> String {
        format!("{}/keys", self.environment)
    }

    pub(crate) fn registration(&self) -> String {
        format!("{}/api/v1/resources/{}/clients:register", self.environment, self.resource_id)
    }
}
