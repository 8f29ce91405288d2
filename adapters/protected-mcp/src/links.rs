use url::Url;

/// Pages for people about a server, which directories of servers ask for. Those that are set are linked from
/// the page for people.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// What happens to the data: `resource_policy_uri` of the protected resource (RFC 9728 section 2).
    pub privacy: Option<Url>,
    /// The terms of service: `resource_tos_uri` of the protected resource.
    pub terms: Option<Url>,
    /// Where users get help: `websiteUrl` of the MCP `Implementation`. RFC 9728 has no member for it.
    pub support: Option<Url>,
}
