//! The discovery documents: the only place that decides what they contain.

use serde::Serialize;

use crate::oauth::scope::ScopeCatalog;
use crate::urls::{AuthorizationServer, Urls};

/// Authorization server metadata of the resource (RFC 8414), in Scalekit's order of fields.
#[derive(Debug, Serialize)]
pub(crate) struct AuthorizationServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    registration_endpoint: String,
    jwks_uri: String,
    client_id_metadata_document_supported: bool,
    #[serde(flatten)]
    capabilities: Capabilities,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    /// RFC 9207 section 3. Scalekit's metadata lacks this field; clients that check `iss` can.
    authorization_response_iss_parameter_supported: bool,
}

/// Discovery of the environment (OpenID Connect Discovery 1.0 section 3). As with Scalekit it has no
/// `registration_endpoint`: clients register with a resource.
#[derive(Debug, Serialize)]
pub(crate) struct OpenidConfiguration {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    #[serde(flatten)]
    capabilities: Capabilities,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 3],
}

#[expect(clippy::struct_field_names, reason = "the names are those of RFC 8414")]
#[derive(Debug, Serialize)]
struct Capabilities {
    code_challenge_methods_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    scopes_supported: Vec<String>,
    response_types_supported: [&'static str; 1],
}

const CLIENT_AUTHENTICATION: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];

impl AuthorizationServerMetadata {
    pub(crate) fn new(urls: &Urls, scopes: &ScopeCatalog) -> Self {
        let issuer = urls.issuer(AuthorizationServer::OfTheResource);
        Self {
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            registration_endpoint: urls.registration(),
            jwks_uri: urls.keys(),
            client_id_metadata_document_supported: false,
            capabilities: Capabilities::new(scopes),
            token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            authorization_response_iss_parameter_supported: true,
            issuer,
        }
    }
}

impl OpenidConfiguration {
    pub(crate) fn new(urls: &Urls, scopes: &ScopeCatalog) -> Self {
        let issuer = urls.issuer(AuthorizationServer::OfTheEnvironment);
        Self {
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            userinfo_endpoint: format!("{issuer}/userinfo"),
            jwks_uri: urls.keys(),
            capabilities: Capabilities::new(scopes),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"],
            token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            issuer,
        }
    }
}

impl Capabilities {
    fn new(scopes: &ScopeCatalog) -> Self {
        Self {
            code_challenge_methods_supported: ["S256"],
            grant_types_supported: ["authorization_code", "client_credentials", "refresh_token"],
            scopes_supported: scopes.iter().map(|scope| scope.name.clone()).collect(),
            response_types_supported: ["code"],
        }
    }
}
