//! What clients may find, or miss, when they look for the way in.

/// The metadata of the resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MetadataForm {
    /// The resource is its own issuer.
    #[default]
    Current,
    /// The issuer is the environment, and so are its endpoints, as before Scalekit's migration.
    /// Strict clients then refuse: the issuer is not the one that the MCP server named (RFC 8414
    /// section 3.3).
    BeforeMigration,
    /// The old form, then the current one, and so on, as one tenant saw it for a while. Stands for
    /// clients and servers that read the document twice and expect the same. Each `set_quirks`
    /// starts anew.
    Alternating,
}

/// Dynamic client registration. Both ways of turning it off take the endpoint out of the metadata;
/// clients that guess it, or remember it, get the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Registration {
    /// Anybody may register.
    #[default]
    Open,
    /// 404: there is no such endpoint.
    NotFound,
    /// 403: there is one, and it is closed.
    Forbidden,
}

/// Client id metadata documents (draft-ietf-oauth-client-id-metadata-document).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cimd {
    /// A URL is no client id here: Scalekit's `invalid_client_metadata_url`, which people meet whose
    /// application read other metadata, or read it long ago.
    #[default]
    Off,
    /// The document is fetched, checked and trusted for what its host may say.
    On,
}
