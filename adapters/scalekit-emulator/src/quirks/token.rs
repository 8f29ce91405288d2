//! What an access token may say in more than one way.

/// `iss`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IssuerClaim {
    /// The URL of the environment, as Scalekit minted it while its metadata named the resource.
    #[default]
    Environment,
    /// The issuer that the metadata names. Verifiers that knew only the environment refused every
    /// token when this came (rust-mcp-extra, earlier FastMCP and xmcp).
    Resource,
    /// The environment, then the resource, and so on, as in the weeks of the migration. Stands for
    /// verifiers that settle on the first issuer they see. Each `set_quirks` starts anew.
    Alternating,
    /// Somebody else's. Stands for verifiers that check the signature and trust the rest.
    Foreign,
}

/// `aud`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AudienceClaim {
    /// `[Server URL, resource id]`.
    #[default]
    ServerUrlAndResource,
    /// `[resource id]`: the Server URL is optional in Scalekit's dashboard. Verifiers that compared
    /// with the URL refused these (FastMCP 2.13.0).
    Resource,
    /// `"resource id"`: a single audience need not be an array (RFC 7519 section 4.1.3). Stands for
    /// readers that know the array only.
    ResourceAsString,
    /// `[Server URL, another resource id]`, with `resid` to match: the token of another server that
    /// was registered with the same URL, as everybody's `http://localhost:3002/` is. Stands for
    /// verifiers that look at the URL alone.
    AnotherResource,
    /// `[Server URL]`. Names no resource that is unique, so it must not be enough.
    ServerUrl,
    /// None at all, as in tokens of organization clients. Stands for verifiers that check an
    /// audience only where there is one.
    Missing,
}

/// The claims that hold the scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeForm {
    /// `scope` and `scopes`, as in Scalekit's user tokens.
    #[default]
    Both,
    /// `scope` alone, a space-separated string (RFC 9068). Scalekit's Node and Python SDKs do not
    /// read it.
    ScopeString,
    /// `scopes` alone, an array, as in tokens of organization clients. FastMCP and Scalekit's Go SDK
    /// do not read it.
    ScopesArray,
    /// `scp` alone, a space-separated string, as Microsoft Entra writes it.
    ScpString,
    /// `scp` alone, an array, as Okta writes it.
    ScpArray,
    /// None. Stands for servers that take a token without scopes for one with all of them.
    Missing,
}

/// The claim that holds the organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrganizationClaim {
    /// `oid`.
    #[default]
    Oid,
    /// `org_id`, which some documents of Scalekit name, and mcp-use and xmcp read.
    OrgId,
    /// None, as for machines. Stands for servers that then take everybody for one organization.
    Missing,
}
