//! The access token: the one place that decides what it says.

use serde::Serialize;

use crate::{
    environment::Environment, identifiers::identifier, identity::TokenRequest, oauth::scope::Scopes,
};

/// Seconds; the default of a Scalekit MCP server.
pub(crate) const ACCESS_TOKEN_LIFETIME: i64 = 3600;

/// The claims of an access token for an MCP server, as Scalekit mints them.
#[derive(Debug, Serialize)]
pub(crate) struct AccessTokenClaims {
    aud: Vec<String>,
    client_id: String,
    iss: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
    resid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    scope: String,
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

impl AccessTokenClaims {
    /// `session` is the `sid` of the login that the token comes from; without one a person gets a
    /// fresh session.
    pub(crate) fn new(
        environment: &Environment,
        request: &TokenRequest,
        session: Option<&str>,
    ) -> Self {
        let now = environment.now();
        let person = !request.is_for_a_machine();
        Self {
            aud: vec![environment.server_url.as_str().to_owned(), environment.resource_id.clone()],
            client_id: request.client_id.clone(),
            iss: access_token_issuer(environment),
            sub: request.subject.clone(),
            oid: request.organization.clone(),
            resid: environment.resource_id.clone(),
            roles: if person { vec!["admin".to_owned()] } else { Vec::new() },
            scope: request.scopes.join(" "),
            scopes: request.scopes.clone(),
            sid: person.then(|| session.map_or_else(|| identifier("ses"), ToOwned::to_owned)),
            iat: now,
            nbf: now,
            exp: now.saturating_add(request.expires_in),
            jti: identifier("tkn"),
        }
    }
}

/// Scalekit still names the environment here while the metadata of a resource already names the
/// resource: both are valid issuers during its migration.
pub(crate) fn access_token_issuer(environment: &Environment) -> String {
    environment.url.clone()
}

impl TokenRequest {
    /// A token for a client that acts for itself (RFC 6749, section 4.4).
    pub(crate) fn for_machine(client_id: &str, scopes: &Scopes) -> Self {
        Self {
            subject: client_id.to_owned(),
            organization: None,
            client_id: client_id.to_owned(),
            scopes: scopes.to_names(),
            expires_in: ACCESS_TOKEN_LIFETIME,
        }
    }
}
