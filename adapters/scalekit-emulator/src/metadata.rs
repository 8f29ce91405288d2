//! The discovery documents: the one place that decides what they say.

use serde::Serialize;

use crate::{
    environment::{AuthorizationServer, Environment},
    oauth::scope::{KNOWN, OFFLINE_ACCESS},
    quirks::{Cimd, MetadataForm, Quirks, Registration},
};

/// Authorization server metadata of the resource (RFC 8414), in Scalekit's order of fields,
/// quirks included.
#[derive(Debug, Serialize)]
pub(crate) struct AuthorizationServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    jwks_uri: String,
    client_id_metadata_document_supported: bool,
    #[serde(flatten)]
    capabilities: Capabilities,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    /// RFC 9207 section 3. Scalekit does not say so; a client that checks `iss` finds it right here.
    authorization_response_iss_parameter_supported: bool,
}

/// Discovery at the level of the environment (OpenID Connect Discovery 1.0, section 3). As with
/// Scalekit it has no `registration_endpoint`: clients register with a resource.
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
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    code_challenge_methods_supported: &'static [&'static str],
    grant_types_supported: [&'static str; 3],
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
}

const CLIENT_AUTHENTICATION: [&str; 3] = ["none", "client_secret_post", "client_secret_basic"];

impl AuthorizationServerMetadata {
    pub(crate) fn of(environment: &Environment) -> Self {
        let quirks = environment.quirks.current();
        let server = match quirks.metadata {
            MetadataForm::Current => AuthorizationServer::OfTheResource,
            MetadataForm::Alternating if environment.quirks.metadata_turn.take() => {
                AuthorizationServer::OfTheResource
            }
            MetadataForm::Alternating | MetadataForm::BeforeMigration => {
                AuthorizationServer::OfTheEnvironment
            }
        };
        let issuer = environment.issuer(server);
        Self {
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            registration_endpoint: match quirks.registration {
                Registration::Open => Some(format!(
                    "{}/api/v1/resources/{}/clients:register",
                    environment.url, environment.resource_id
                )),
                Registration::NotFound | Registration::Forbidden => None,
            },
            jwks_uri: keys(environment),
            client_id_metadata_document_supported: quirks.cimd == Cimd::On,
            capabilities: Capabilities::of(&quirks),
            token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            authorization_response_iss_parameter_supported: true,
            issuer,
        }
    }
}

impl OpenidConfiguration {
    pub(crate) fn of(environment: &Environment) -> Self {
        let issuer = environment.issuer(AuthorizationServer::OfTheEnvironment);
        Self {
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            userinfo_endpoint: format!("{issuer}/userinfo"),
            jwks_uri: keys(environment),
            capabilities: Capabilities::of(&environment.quirks.current()),
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: ["RS256"],
            token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
            issuer,
        }
    }
}

impl Capabilities {
    fn of(quirks: &Quirks) -> Self {
        let offered =
            |name: &str| name != OFFLINE_ACCESS || !quirks.metadata_without_offline_access;
        Self {
            code_challenge_methods_supported: if quirks.metadata_without_s256 {
                &[]
            } else {
                &["S256"]
            },
            grant_types_supported: ["authorization_code", "client_credentials", "refresh_token"],
            scopes_supported: KNOWN
                .iter()
                .map(|scope| scope.name)
                .filter(|name| offered(name))
                .collect(),
            response_types_supported: ["code"],
        }
    }
}

fn keys(environment: &Environment) -> String {
    format!("{}/keys", environment.url)
}
