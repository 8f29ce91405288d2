//! Client id metadata documents (draft-ietf-oauth-client-id-metadata-document, section 4).

use serde::{Deserialize, de::IgnoredAny};

use super::{client_id_url::ClientIdUrl, client_name, redirect_uri::RedirectUri};

/// What a client says of itself at the URL that is its id.
#[derive(Debug)]
pub(crate) struct ClientMetadataDocument {
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
}

/// Why a document describes no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentProblem {
    #[error("the document is no JSON object with the right fields: {0}")]
    Malformed(serde_json::Error),
    #[error("the `client_id` in the document is not this URL")]
    AnotherClient,
    #[error("the document gives a secret away")]
    Secret,
    #[error("the document asks for client authentication other than `none`")]
    Authentication,
}

#[derive(Deserialize)]
struct Fields {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<RedirectUri>,
    token_endpoint_auth_method: Option<String>,
    client_secret: Option<IgnoredAny>,
    client_secret_expires_at: Option<IgnoredAny>,
}

impl ClientMetadataDocument {
    /// Reads the document found at `url`. It speaks for the client only if it says so itself, byte
    /// for byte: else whoever can put a file on a host could take over that host's clients.
    pub(crate) fn parse(document: &[u8], url: &ClientIdUrl) -> Result<Self, DocumentProblem> {
        let fields: Fields =
            serde_json::from_slice(document).map_err(DocumentProblem::Malformed)?;
        if fields.client_id != url.as_str() {
            return Err(DocumentProblem::AnotherClient);
        }
        if fields.client_secret.is_some() || fields.client_secret_expires_at.is_some() {
            return Err(DocumentProblem::Secret);
        }
        // Shared secrets are ruled out by the draft; keys of clients are more than this server knows.
        if fields.token_endpoint_auth_method.is_some_and(|method| method != "none") {
            return Err(DocumentProblem::Authentication);
        }
        Ok(Self {
            name: fields.client_name.as_deref().and_then(client_name::presentable),
            redirect_uris: fields.redirect_uris,
        })
    }
}
