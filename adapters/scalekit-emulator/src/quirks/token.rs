//! Deviations of the access token.

use serde_json::{Value, json};

use super::selection::{AudienceClaim, IssuerClaim, OrganizationClaim, Quirks, ScopeForm};
use crate::claims::AccessTokenClaims;
use crate::urls::{AuthorizationServer, Urls};

const FOREIGN_ISSUER: &str = "https://foreign.scalekit.example";
const ANOTHER_RESOURCE: &str = "res_99999999999999999";

/// `is_resources_turn` returns whether an alternating issuer is the resource this time.
pub(super) fn apply(
    quirks: &Quirks,
    is_resources_turn: impl FnOnce() -> bool,
    claims: &AccessTokenClaims,
    urls: &Urls,
) -> Value {
    let mut token = json!(claims);
    let Value::Object(claims) = &mut token else { return token };

    let resource_issuer = || json!(urls.issuer(AuthorizationServer::OfTheResource));
    match quirks.issuer {
        IssuerClaim::Resource => claims["iss"] = resource_issuer(),
        IssuerClaim::Alternating if is_resources_turn() => claims["iss"] = resource_issuer(),
        IssuerClaim::Environment | IssuerClaim::Alternating => {}
        IssuerClaim::Foreign => claims["iss"] = json!(FOREIGN_ISSUER),
    }

    let (server_url, resource_id) = (urls.server.as_str(), urls.resource_id.as_str());
    match quirks.audience {
        AudienceClaim::ServerUrlAndResource => {}
        AudienceClaim::Resource => claims["aud"] = json!([resource_id]),
        AudienceClaim::ResourceAsString => claims["aud"] = json!(resource_id),
        AudienceClaim::AnotherResource => {
            claims["aud"] = json!([server_url, ANOTHER_RESOURCE]);
            claims["resid"] = json!(ANOTHER_RESOURCE);
        }
        AudienceClaim::ServerUrl => claims["aud"] = json!([server_url]),
        AudienceClaim::Missing => {
            claims.remove("aud");
        }
    }

    let organization = match quirks.organization {
        OrganizationClaim::Oid => None,
        OrganizationClaim::OrgId | OrganizationClaim::Missing => claims.remove("oid"),
    };
    if let (OrganizationClaim::OrgId, Some(organization)) = (quirks.organization, organization) {
        claims.insert("org_id".to_owned(), organization);
    }

    if quirks.scope_form != ScopeForm::Both {
        let [string, array] = ["scope", "scopes"].map(|name| claims.remove(name));
        let (name, value) = match quirks.scope_form {
            ScopeForm::Both | ScopeForm::Missing => ("", None),
            ScopeForm::ScopeString => ("scope", string),
            ScopeForm::ScopesArray => ("scopes", array),
            ScopeForm::ScpString => ("scp", string),
            ScopeForm::ScpArray => ("scp", array),
        };
        claims.extend(value.map(|value| (name.to_owned(), value)));
    }

    for name in ["iat", "nbf", "exp"] {
        let time = claims[name].as_i64().unwrap_or_default();
        claims[name] = json!(time.saturating_add(quirks.clock_skew));
    }
    token
}
