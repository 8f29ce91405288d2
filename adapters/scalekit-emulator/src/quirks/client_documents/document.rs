//! The content of a client metadata document (section 4 of the draft).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::client_id_url::ClientIdUrl;

use crate::oauth::redirect_uri::RedirectUri;
use crate::state::records::presentable_name;

#[derive(Debug)]
pub(super) struct ClientMetadataDocument {
    pub(super) name: Option<String>,
    pub(super) redirect_uris: Vec<RedirectUri>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentProblem {
    #[error("the document is not a JSON object with the required fields: {0}")]
    Malformed(serde_json::Error),
    #[error("the `client_id` in the document is not this URL")]
    AnotherClient,
    #[error("the document contains a secret")]
    Secret,
    #[error("the document requests client authentication other than `none`")]
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
    /// Parses the document at `url`. Its `client_id` must be that URL, byte for byte: otherwise anyone
    /// who can publish a file on a host could take over that host's clients.
    pub(super) fn parse(document: &[u8], url: &ClientIdUrl) -> Result<Self, DocumentProblem> {
        let fields: Fields =
            serde_json::from_slice(document).map_err(DocumentProblem::Malformed)?;
        if fields.client_id != url.as_str() {
            return Err(DocumentProblem::AnotherClient);
        }
        if fields.client_secret.is_some() || fields.client_secret_expires_at.is_some() {
            return Err(DocumentProblem::Secret);
        }
        // The draft rules out shared secrets, and keys of clients are not implemented.
        if fields.token_endpoint_auth_method.is_some_and(|method| method != "none") {
            return Err(DocumentProblem::Authentication);
        }
        Ok(Self {
            name: fields.client_name.as_deref().and_then(presentable_name),
            redirect_uris: fields.redirect_uris,
        })
    }
}
