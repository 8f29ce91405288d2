//! The access token: the only place that decides what it contains.

use serde::Serialize;

use crate::identifiers::identifier;
use crate::token_request::TokenRequest;
use crate::urls::{AuthorizationServer, Urls};

/// The claims of an access token for an MCP server, as Scalekit mints them.
#[derive(Debug, Serialize)]
pub(crate) struct AccessTokenClaims {
    aud: [String; 2],
    client_id: String,
    iss: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
    resid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
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
    /// `now` in Unix seconds. `session` is the `sid` of the login that the token comes from; without
    /// one a person gets a new session.
    pub(crate) fn new(
        urls: &Urls,
        now: i64,
        request: &TokenRequest,
        session: Option<&str>,
    ) -> Self {
        let person = !request.is_for_a_machine();
        Self {
            aud: [urls.server.as_str().to_owned(), urls.resource_id.clone()],
            client_id: request.client_id.clone(),
            // Scalekit still writes the environment here while the metadata of a resource already has
            // the resource: during its migration both are valid issuers.
            iss: urls.issuer(AuthorizationServer::OfTheEnvironment),
            sub: request.subject.clone(),
            oid: request.organization.clone(),
            resid: urls.resource_id.clone(),
            roles: if person { vec!["admin"] } else { Vec::new() },
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
