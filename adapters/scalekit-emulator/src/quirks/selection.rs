//! The quirks that can be selected.

use std::collections::BTreeSet;

/// Everything in which the environment can deviate. The default is a regular environment.
///
/// ```
/// use scalekit_emulator::{IssuerClaim, Quirks};
///
/// let migrated = Quirks { issuer: IssuerClaim::Resource, ..Quirks::default() };
/// assert_ne!(migrated, Quirks::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quirks {
    /// `iss` of every access token.
    pub issuer: IssuerClaim,
    /// `aud` of every access token.
    pub audience: AudienceClaim,
    /// The claims in which every access token has its scopes.
    pub scope_form: ScopeForm,
    /// The claim in which every access token has the organization, if any.
    pub organization: OrganizationClaim,
    /// The scopes of the resource that the user may have; `None` for all of them.
    ///
    /// A login or a refresh grants no other, whatever was requested and consented to (the setting
    /// `intersect_scopes_user_permission` of a Scalekit resource). Scopes that do not belong to the
    /// resource, such as `offline_access`, are not permissions and stay. Exposes clients and servers
    /// that take requested scopes for granted ones.
    pub permissions: Option<Vec<String>>,
    /// Seconds that an access token of the token endpoint is valid, instead of an hour; negative for
    /// one that has expired. Exposes clients that never refresh, and servers that accept expired
    /// tokens. A token minted in process has the lifetime of its request.
    pub token_lifetime: Option<i64>,
    /// Seconds by which `iat`, `nbf` and `exp` are ahead of the clock; negative for behind. Exposes
    /// servers that allow no leeway, or too much.
    pub clock_skew: i64,
    /// Seconds that an authorization code is valid, instead of ten minutes; 0 for one that has expired.
    /// Exposes clients that redeem a code late, and then try it again.
    pub code_lifetime: Option<i64>,
    /// Keys in the key set that are not for access tokens, listed first.
    pub foreign_keys: Vec<ForeignKey>,
    /// The response of the key set endpoint.
    pub keys: KeysEndpoint,
    /// The issuer and the endpoints in the metadata of the resource.
    pub metadata: MetadataForm,
    /// Whether clients can register.
    pub registration: Registration,
    /// Metadata without `code_challenge_methods_supported`. Careful clients stop then: a server without
    /// that field does not support PKCE (RFC 8414 section 2).
    pub metadata_without_s256: bool,
    /// Metadata without the scope `offline_access`: clients then do not request it, get no refresh
    /// token, and have people log in again every hour.
    pub metadata_without_offline_access: bool,
    /// Whether the URL of a client metadata document is a client id.
    pub cimd: Cimd,
    /// Also fetches such documents from this machine, and over plain http, where a test serves them. In
    /// a real server this would allow request forgery into its own network.
    pub cimd_allow_loopback: bool,
    /// Clients that are unknown although they are registered. Exposes applications that keep the
    /// registration of another environment instead of registering again.
    pub refused_clients: BTreeSet<String>,
}

/// `iss`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IssuerClaim {
    /// The URL of the environment, as Scalekit minted it while its metadata already had the resource.
    #[default]
    Environment,
    /// The issuer in the metadata. Verifiers that knew only the environment rejected every token when
    /// this came (rust-mcp-extra, earlier FastMCP and xmcp).
    Resource,
    /// The environment, then the resource, and so on, as in the weeks of the migration. Exposes
    /// verifiers that keep the first issuer they see. Each `set_quirks` starts again.
    Alternating,
    /// Another issuer. Exposes verifiers that check only the signature.
    Foreign,
}

/// `aud`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AudienceClaim {
    /// `[Server URL, resource id]`.
    #[default]
    ServerUrlAndResource,
    /// `[resource id]`: the Server URL is optional in Scalekit's dashboard. Verifiers that compared
    /// the URL rejected these (FastMCP 2.13.0).
    Resource,
    /// `"resource id"`: a single audience need not be an array (RFC 7519 section 4.1.3). Exposes readers
    /// that expect an array.
    ResourceAsString,
    /// `[Server URL, another resource id]`, with `resid` to match: the token of another server that was
    /// registered with the same URL, such as `http://localhost:3002/`. Exposes verifiers that compare
    /// only the URL.
    AnotherResource,
    /// `[Server URL]`, which is not unique and must not be sufficient.
    ServerUrl,
    /// None, as in tokens of organization clients. Exposes verifiers that check an audience only if it
    /// is present.
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
    /// None. Exposes servers that take a token without scopes for one with all of them.
    Missing,
}

/// The claim that holds the organization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OrganizationClaim {
    /// `oid`.
    #[default]
    Oid,
    /// `org_id`, which is in some documents of Scalekit, and which mcp-use and xmcp read.
    OrgId,
    /// None, as for machines. Exposes servers that then put every caller into one organization.
    Missing,
}

/// The response of `/keys`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeysEndpoint {
    /// The key set.
    #[default]
    Normal,
    /// None until other quirks are set, then the response of those. Exposes servers that let every
    /// request wait for the keys, or fetch them for each. A shutdown waits for these responses too.
    Held,
    /// An error status: 500 for an outage, 429 for an exhausted quota, perhaps by a server that fetched
    /// keys for every unknown key id. An invalid number means 500.
    Failing(u16),
    /// A key set without keys. Exposes servers that drop the keys they had.
    Empty,
    /// An HTML page with status 200, as proxies and captive portals send it.
    NotJson,
    /// JSON that is not a key set.
    Malformed,
}

/// A key in the set that cannot have signed an access token. Exposes readers that fail on one key, or
/// take the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKey {
    /// A P-256 key.
    EllipticCurve,
    /// An RSA key with `"use": "enc"`.
    RsaForEncryption,
    /// An RSA key whose modulus is not base64url.
    MalformedRsa,
    /// A shared secret. A verifier that takes the algorithm from the token would accept what anyone
    /// signs with it.
    Symmetric,
}

/// The metadata of the resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MetadataForm {
    /// The resource is its own issuer.
    #[default]
    Current,
    /// The issuer is the environment, and the endpoints are its own, as before Scalekit's migration.
    /// Strict clients reject this: the issuer differs from the one in the metadata of the MCP server
    /// (RFC 8414 section 3.3).
    BeforeMigration,
    /// The old form, then the current one, and so on, as seen at one tenant for a while. Exposes clients
    /// and servers that fetch the document twice and expect the same. Each `set_quirks` starts again.
    Alternating,
}

/// Dynamic client registration. Both ways of turning it off remove the endpoint from the metadata;
/// clients that guess or remember its URL get the response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Registration {
    #[default]
    Open,
    /// Status 404.
    NotFound,
    /// Status 403.
    Forbidden,
}

/// Client metadata documents (draft-ietf-oauth-client-id-metadata-document).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cimd {
    /// A URL is not a client id: Scalekit's `invalid_client_metadata_url`, seen by people whose
    /// application used other or outdated metadata.
    #[default]
    Off,
    /// The document is fetched and checked, and trusted as far as its host may speak for it.
    On,
}
