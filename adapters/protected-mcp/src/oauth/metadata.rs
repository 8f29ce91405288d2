use serde::Serialize;

use super::PublicUrl;

/// The metadata of the protected resource as JSON (RFC 9728 section 2). `authorization_server` is the
/// issuer exactly as its own metadata states it.
pub(crate) fn protected_resource_metadata(
    public_url: &PublicUrl,
    authorization_server: &str,
    scopes: &[&str],
    resource_name: &str,
) -> Vec<u8> {
    #[derive(Serialize)]
    struct Metadata<'a> {
        resource: &'a str,
        authorization_servers: [&'a str; 1],
        scopes_supported: &'a [&'a str],
        bearer_methods_supported: [&'static str; 1],
        resource_name: &'a str,
    }
    let metadata = Metadata {
        resource: &public_url.resource(),
        authorization_servers: [authorization_server],
        scopes_supported: scopes,
        bearer_methods_supported: ["header"],
        resource_name,
    };
    serde_json::to_vec(&metadata).unwrap_or_default()
}
