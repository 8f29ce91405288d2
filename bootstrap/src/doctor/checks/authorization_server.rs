//! What Scalekit's metadata (RFC 8414) promises clients about the MCP server.

use scalekit::ScalekitEnvironment;
use serde_json::Value;
use todo_application::domain::Permission;
use url::Url;

use crate::doctor::finding::Finding;
use crate::http::{excerpt, is_loopback};

/// One for each thing that clients rely on.
pub(crate) const CHECKS: [fn(&ScalekitEnvironment, &Value) -> Finding; 6] =
    [issuer, endpoints, pkce, registration, scopes, refresh];

/// Where the dashboard has the fields that the advice names.
pub(super) const DASHBOARD: &str = "In the dashboard, MCP Servers > your server:";

/// Clients compare it byte for byte (RFC 8414 section 3.3) with `authorization_servers` of this
/// server.
fn issuer(environment: &ScalekitEnvironment, metadata: &Value) -> Finding {
    const CHECK: &str = "issuer";
    let ours = environment.authorization_server();
    let support = format!(
        "No setting changes it: ask Scalekit's support for the issuer {ours}. Strict clients do not \
         log in while the two differ (RFC 8414 section 3.3)."
    );
    let issuer = match metadata["issuer"].as_str() {
        Some(issuer) if issuer == ours => {
            return Finding::pass(CHECK, "is what this server publishes, byte for byte");
        }
        Some(issuer) => excerpt(issuer),
        None => return Finding::fail(CHECK, "missing in the metadata").advise(support),
    };
    let seen = format!("is {issuer} in the metadata, and this server publishes {ours}");
    let base = issuer.strip_suffix(&format!("/resources/{}", environment.resource_id()));
    let advice = match base {
        Some(base) => format!("Set SCALEKIT_ENVIRONMENT_URL to {base}."),
        None if issuer.trim_end_matches('/') == environment.url() => format!(
            "Scalekit used this form before each MCP server had an issuer of its own. {support}"
        ),
        None => support,
    };
    Finding::fail(CHECK, seen).advise(advice)
}

/// Clients send authorization codes and refresh tokens there.
fn endpoints(_: &ScalekitEnvironment, metadata: &Value) -> Finding {
    const CHECK: &str = "endpoints";
    for name in ["authorization_endpoint", "token_endpoint"] {
        let Some(url) = metadata[name].as_str() else {
            return Finding::fail(CHECK, format!("the metadata has no {name}"))
                .advise("Clients cannot log in: contact Scalekit's support.");
        };
        let is_safe = Url::parse(url).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url));
        if !is_safe {
            return Finding::fail(CHECK, format!("{name} is {}, without https", excerpt(url)))
                .advise("Clients reject it: contact Scalekit's support.");
        }
    }
    Finding::pass(CHECK, "for authorization and for tokens, https or loopback")
}

fn pkce(_: &ScalekitEnvironment, metadata: &Value) -> Finding {
    const CHECK: &str = "PKCE";
    if has_s256(metadata) {
        return Finding::pass(CHECK, "with S256");
    }
    let advice = "MCP clients do not log in without it: contact Scalekit's support.";
    Finding::fail(CHECK, "code_challenge_methods_supported does not list S256").advise(advice)
}

pub(super) fn has_s256(metadata: &Value) -> bool {
    lists(&metadata["code_challenge_methods_supported"], "S256")
}

/// How a client that is not registered yet gets an id; `None` if it cannot.
pub(super) fn ways_to_register(metadata: &Value) -> Option<&'static str> {
    let dynamic = metadata["registration_endpoint"].is_string();
    let documents = metadata["client_id_metadata_document_supported"] == true;
    match (dynamic, documents) {
        (true, true) => Some("dynamic, and by client ID metadata document"),
        (true, false) => Some("dynamic"),
        (false, true) => Some("by client ID metadata document"),
        (false, false) => None,
    }
}

fn registration(_: &ScalekitEnvironment, metadata: &Value) -> Finding {
    const CHECK: &str = "registration";
    if let Some(ways) = ways_to_register(metadata) {
        return Finding::pass(CHECK, ways);
    }
    let advice = format!(
        "{DASHBOARD} turn on \"Allow dynamic client registration\" or \"Client ID metadata \
         document\". Without both, only the clients of its Clients tab can connect."
    );
    Finding::warn(CHECK, "clients cannot register: both ways are off").advise(advice)
}

fn scopes(_: &ScalekitEnvironment, metadata: &Value) -> Finding {
    const CHECK: &str = "scopes";
    let offered = &metadata["scopes_supported"];
    let needed = Permission::ALL.map(Permission::scope);
    let missing: Vec<_> = needed.into_iter().filter(|scope| !lists(offered, scope)).collect();
    if missing.is_empty() {
        return Finding::pass(CHECK, format!("{} are offered", needed.join(" and ")));
    }
    let missing = missing.join(" and ");
    let advice = format!("{DASHBOARD} add {missing} to its scopes.");
    Finding::fail(CHECK, format!("not offered: {missing}")).advise(advice)
}

/// Clients request `offline_access` only if it is offered, and get a refresh token only with it.
fn refresh(_: &ScalekitEnvironment, metadata: &Value) -> Finding {
    const CHECK: &str = "refresh";
    if lists(&metadata["scopes_supported"], "offline_access") {
        return Finding::pass(CHECK, "offline_access is offered: clients stay logged in");
    }
    let advice = format!(
        "{DASHBOARD} add offline_access to its scopes, or users log in again whenever a token \
         expires."
    );
    Finding::warn(CHECK, "offline_access is not offered: clients cannot refresh tokens")
        .advise(advice)
}

fn lists(list: &Value, item: &str) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(|listed| listed == item))
}

#[cfg(test)]
mod tests;
