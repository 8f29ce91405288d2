use axum::http::HeaderValue;
use serde::Serialize;
use url::Url;

use super::PublicUrl;
use crate::links::Links;

/// The metadata of a protected resource (RFC 9728 section 2).
pub(crate) struct ProtectedResource {
    pub(crate) public_url: PublicUrl,
    /// The issuer exactly as its own metadata states it.
    pub(crate) authorization_server: String,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) name: &'static str,
    pub(crate) links: Links,
}

impl ProtectedResource {
    /// Whether the document depends on the host that is asked.
    pub(crate) fn varies_by_host(&self) -> bool {
        self.public_url.is_loopback()
    }

    /// The document for a request to this host, as JSON.
    pub(crate) fn document(&self, host: Option<&HeaderValue>) -> Vec<u8> {
        #[derive(Serialize)]
        struct Metadata<'a> {
            resource: &'a str,
            authorization_servers: [&'a str; 1],
            scopes_supported: &'a [&'a str],
            bearer_methods_supported: [&'static str; 1],
            resource_name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            resource_policy_uri: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            resource_tos_uri: Option<&'a str>,
        }
        let metadata = Metadata {
            resource: &self.public_url.as_requested(host).resource(),
            authorization_servers: [&self.authorization_server],
            scopes_supported: &self.scopes,
            bearer_methods_supported: ["header"],
            resource_name: self.name,
            resource_policy_uri: self.links.privacy.as_ref().map(Url::as_str),
            resource_tos_uri: self.links.terms.as_ref().map(Url::as_str),
        };
        serde_json::to_vec(&metadata).unwrap_or_default()
    }
}
