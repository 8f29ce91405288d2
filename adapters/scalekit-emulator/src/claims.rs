//! The access token: the one place that decides what it says.

use serde::Serialize;

use crate::{
    environment::{AuthorizationServer, Environment},
    identifiers::identifier,
    identity::TokenRequest,
    oauth::scope::Scopes,
    quirks::{AudienceClaim, IssuerClaim, OrganizationClaim, ScopeForm},
};

/// Seconds; the default of a Scalekit MCP server.
pub(crate) const ACCESS_TOKEN_LIFETIME: i64 = 3600;

const FOREIGN_ISSUER: &str = "https://foreign.scalekit.example";
const ANOTHER_RESOURCE: &str = "res_99999999999999999";

/// The claims of an access token for an MCP server, as Scalekit mints them, quirks included.
#[derive(Debug, Serialize)]
pub(crate) struct AccessTokenClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<OneOrMany>,
    client_id: String,
    iss: String,
    sub: String,
    #[serde(flatten)]
    organization: OrganizationClaims,
    resid: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(flatten)]
    scopes: ScopeClaims,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Default, Serialize)]
struct OrganizationClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<String>,
}

#[derive(Debug, Default, Serialize)]
struct ScopeClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scp: Option<OneOrMany>,
}

impl AccessTokenClaims {
    /// `session` is the `sid` of the login that the token comes from; without one a person gets a
    /// fresh session.
    pub(crate) fn new(
        environment: &Environment,
        request: &TokenRequest,
        session: Option<&str>,
    ) -> Self {
        let quirks = environment.quirks.current();
        let now = environment.now().saturating_add(quirks.clock_skew);
        let person = !request.is_for_a_machine();
        let resource = match quirks.audience {
            AudienceClaim::AnotherResource => ANOTHER_RESOURCE,
            AudienceClaim::ServerUrlAndResource
            | AudienceClaim::Resource
            | AudienceClaim::ResourceAsString
            | AudienceClaim::ServerUrl
            | AudienceClaim::Missing => &environment.resource_id,
        };
        Self {
            aud: audience(quirks.audience, environment.server_url.as_str(), resource),
            client_id: request.client_id.clone(),
            iss: issuer(quirks.issuer, environment),
            sub: request.subject.clone(),
            organization: OrganizationClaims::of(request, quirks.organization),
            resid: resource.to_owned(),
            roles: if person { vec!["admin".to_owned()] } else { Vec::new() },
            scopes: ScopeClaims::of(request, quirks.scope_form),
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
fn issuer(claim: IssuerClaim, environment: &Environment) -> String {
    let server = match claim {
        IssuerClaim::Foreign => return FOREIGN_ISSUER.to_owned(),
        IssuerClaim::Resource => AuthorizationServer::OfTheResource,
        IssuerClaim::Alternating if environment.quirks.issuer_turn.take() => {
            AuthorizationServer::OfTheResource
        }
        IssuerClaim::Environment | IssuerClaim::Alternating => {
            AuthorizationServer::OfTheEnvironment
        }
    };
    environment.issuer(server)
}

fn audience(claim: AudienceClaim, server_url: &str, resource: &str) -> Option<OneOrMany> {
    let many =
        |names: &[&str]| Some(OneOrMany::Many(names.iter().map(|&name| name.to_owned()).collect()));
    match claim {
        AudienceClaim::ServerUrlAndResource | AudienceClaim::AnotherResource => {
            many(&[server_url, resource])
        }
        AudienceClaim::Resource => many(&[resource]),
        AudienceClaim::ResourceAsString => Some(OneOrMany::One(resource.to_owned())),
        AudienceClaim::ServerUrl => many(&[server_url]),
        AudienceClaim::Missing => None,
    }
}

impl OrganizationClaims {
    fn of(request: &TokenRequest, claim: OrganizationClaim) -> Self {
        let organization = request.organization.clone();
        match claim {
            OrganizationClaim::Oid => Self { oid: organization, org_id: None },
            OrganizationClaim::OrgId => Self { oid: None, org_id: organization },
            OrganizationClaim::Missing => Self::default(),
        }
    }
}

impl ScopeClaims {
    fn of(request: &TokenRequest, form: ScopeForm) -> Self {
        let string = || request.scopes.join(" ");
        let array = || request.scopes.clone();
        let none = Self::default();
        match form {
            ScopeForm::Both => Self { scope: Some(string()), scopes: Some(array()), ..none },
            ScopeForm::ScopeString => Self { scope: Some(string()), ..none },
            ScopeForm::ScopesArray => Self { scopes: Some(array()), ..none },
            ScopeForm::ScpString => Self { scp: Some(OneOrMany::One(string())), ..none },
            ScopeForm::ScpArray => Self { scp: Some(OneOrMany::Many(array())), ..none },
            ScopeForm::Missing => none,
        }
    }
}

impl TokenRequest {
    /// A token for a client that acts for itself (RFC 6749, section 4.4).
    pub(crate) fn for_machine(client_id: &str, scopes: &Scopes, expires_in: i64) -> Self {
        Self {
            subject: client_id.to_owned(),
            organization: None,
            client_id: client_id.to_owned(),
            scopes: scopes.to_names(),
            expires_in,
        }
    }
}
