//! What Scalekit's metadata (RFC 8414) tells clients about the MCP server.

use serde_json::Value;
use todo_adapter_scalekit::ScalekitEnvironment;
use todo_application::domain::Permission;
use url::Url;

use super::Finding;
use super::http::{Answer, Http, Unreachable, is_loopback};
use super::report::excerpt;

/// Where the dashboard has the fields that are named here.
const DASHBOARD: &str = "In the dashboard, MCP Servers > your server:";

/// Fetches the metadata as clients do, and judges it.
pub(super) async fn ask(http: &Http<'_>, environment: &ScalekitEnvironment) -> Vec<Finding> {
    let [inserted, appended] = environment.metadata_urls();
    let inserted = http.get(inserted).await;
    let appended = match &inserted {
        Ok(answer) if answer.document().is_none() => Some(http.get(appended).await),
        _ => None,
    };
    let (located, metadata) = located(environment, &inserted, appended.as_ref());
    let mut findings = vec![located];
    if let Some(metadata) = metadata {
        findings.extend(judge(environment, &metadata));
    }
    findings
}

/// Whether the metadata is there: at the path-inserted URL of RFC 8414 §3.1, or at the appended one.
fn located(
    environment: &ScalekitEnvironment,
    inserted: &Result<Answer, Unreachable>,
    appended: Option<&Result<Answer, Unreachable>>,
) -> (Finding, Option<Value>) {
    const CHECK: &str = "metadata";
    let answer = match inserted {
        Ok(answer) => answer,
        Err(reason) => return (Finding::fail(CHECK, format!("cannot be fetched: {reason}")), None),
    };
    if let Some(metadata) = answer.document() {
        let resource_id = environment.resource_id();
        let seen = format!("Scalekit publishes that of MCP server {resource_id}");
        return (Finding::pass(CHECK, seen), Some(metadata));
    }
    if let Some(metadata) = appended.and_then(|answer| answer.as_ref().ok()?.document()) {
        let seen = "is published at one of its two URLs only";
        let advice = "Many clients ask only at the other, /.well-known/oauth-authorization-server \
                      before the path: tell Scalekit's support.";
        return (Finding::warn(CHECK, seen).advise(advice), Some(metadata));
    }
    let finding = match answer.status {
        429 | 500..=599 => {
            let seen = format!("Scalekit answers with status {}", answer.status);
            Finding::fail(CHECK, seen).advise("Scalekit is overloaded or down: wait and try again.")
        }
        status => {
            let seen = format!("there is none for this MCP server (status {status})");
            Finding::fail(CHECK, seen).advise(resource_id_advice(environment.resource_id()))
        }
    };
    (finding, None)
}

fn resource_id_advice(resource_id: &str) -> String {
    let kind = [
        ("skc_", "an API client"),
        ("prd_skc_", "an API client"),
        ("m2m_", "an MCP client"),
        ("m2morg_", "a client of an organization"),
        ("app_", "an application"),
        ("env_", "an environment"),
        ("org_", "an organization"),
        ("conn_", "a connection"),
    ]
    .into_iter()
    .find(|(prefix, _)| resource_id.starts_with(prefix));
    let what = match kind {
        Some((_, kind)) => format!("is `{resource_id}`, the id of {kind}"),
        None => format!("is `{resource_id}`, which this environment does not know"),
    };
    format!(
        "SCALEKIT_RESOURCE_ID {what}. Copy the id of the server from the dashboard, MCP Servers; it \
         starts with `res_`."
    )
}

/// Judges what the metadata says, one finding for each thing that clients rely on.
fn judge(environment: &ScalekitEnvironment, metadata: &Value) -> Vec<Finding> {
    vec![
        issuer(environment, &metadata["issuer"]),
        endpoints(metadata),
        pkce(&metadata["code_challenge_methods_supported"]),
        registration(metadata),
        scopes(&metadata["scopes_supported"]),
        refreshing(&metadata["scopes_supported"]),
    ]
}

/// Clients compare, byte for byte (RFC 8414 §3.3), with what we publish in `authorization_servers`.
fn issuer(environment: &ScalekitEnvironment, issuer: &Value) -> Finding {
    const CHECK: &str = "issuer";
    let ours = environment.authorization_server();
    let issuer = match issuer.as_str() {
        Some(issuer) if issuer == ours => {
            return Finding::pass(CHECK, "is what we publish, byte for byte");
        }
        Some(issuer) => excerpt(issuer),
        None => return Finding::fail(CHECK, "the metadata names none").advise(support(ours)),
    };
    let seen = format!("the metadata says {issuer}, and we publish {ours}");
    let base = issuer.strip_suffix(&format!("/resources/{}", environment.resource_id()));
    let advice = match base {
        Some(base) => format!("Set SCALEKIT_ENVIRONMENT_URL to {base}."),
        None if issuer.trim_end_matches('/') == environment.url() => {
            format!("This is the form of before the issuer of each MCP server. {}", support(ours))
        }
        None => support(ours),
    };
    Finding::fail(CHECK, seen).advise(advice)
}

fn support(ours: &str) -> String {
    format!(
        "No setting changes it: ask Scalekit's support for the issuer {ours}. Strict clients refuse \
         to log in while they differ (RFC 8414, section 3.3)."
    )
}

/// Clients send codes and tokens there.
fn endpoints(metadata: &Value) -> Finding {
    const CHECK: &str = "endpoints";
    for name in ["authorization_endpoint", "token_endpoint"] {
        let Some(url) = metadata[name].as_str() else {
            return Finding::fail(CHECK, format!("the metadata has no {name}"))
                .advise("Clients cannot log in: tell Scalekit's support.");
        };
        let is_safe = Url::parse(url).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url));
        if !is_safe {
            return Finding::fail(CHECK, format!("{name} is {}, without https", excerpt(url)))
                .advise("Clients refuse it: tell Scalekit's support.");
        }
    }
    Finding::pass(CHECK, "for logging in and for tokens, both safe")
}

fn pkce(methods: &Value) -> Finding {
    if lists(methods, "S256") {
        return Finding::pass("PKCE", "with S256");
    }
    let advice = "MCP clients refuse to log in without it: tell Scalekit's support.";
    let seen = "code_challenge_methods_supported does not list S256";
    Finding::fail("PKCE", seen).advise(advice)
}

/// How a client that nobody registered gets an id.
fn registration(metadata: &Value) -> Finding {
    const CHECK: &str = "registration";
    let dynamic = metadata["registration_endpoint"].is_string();
    let documents = metadata["client_id_metadata_document_supported"] == true;
    let seen = match (dynamic, documents) {
        (true, true) => "dynamic, and by client ID metadata document",
        (true, false) => "dynamic",
        (false, true) => "by client ID metadata document",
        (false, false) => {
            let advice = format!(
                "{DASHBOARD} turn on \"Allow dynamic client registration\" or \"Client ID metadata \
                 document\". Without both only clients made by hand in its Clients tab can connect."
            );
            return Finding::warn(CHECK, "clients cannot register: both ways are off")
                .advise(advice);
        }
    };
    Finding::pass(CHECK, seen)
}

fn scopes(offered: &Value) -> Finding {
    let ours = Permission::ALL.map(Permission::scope);
    let missing: Vec<_> = ours.into_iter().filter(|scope| !lists(offered, scope)).collect();
    if missing.is_empty() {
        return Finding::pass("scopes", format!("{} are offered", ours.join(" and ")));
    }
    let missing = missing.join(" and ");
    let advice = format!("{DASHBOARD} add {missing} to its scopes.");
    Finding::fail("scopes", format!("not offered: {missing}")).advise(advice)
}

/// Clients ask for `offline_access` only if it is offered, and get a refresh token only then.
fn refreshing(offered: &Value) -> Finding {
    const CHECK: &str = "refresh";
    if lists(offered, "offline_access") {
        return Finding::pass(CHECK, "offline_access is offered: clients stay logged in");
    }
    let advice = format!(
        "{DASHBOARD} add offline_access to its scopes, or users log in again whenever a token expires."
    );
    Finding::warn(CHECK, "offline_access is not offered: clients cannot refresh tokens")
        .advise(advice)
}

fn lists(list: &Value, item: &str) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(|listed| listed == item))
}

#[cfg(test)]
mod tests;
